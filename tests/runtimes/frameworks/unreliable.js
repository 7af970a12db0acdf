// The function that the programs retry, and its policy.

/** The limits that it needs: it is called at 0, 1500 and 2000. */
const limits = {
  attemptTimeout: 1000,
  deadline: 5000,
  pause: 500,
  exceptions: [RangeError],
};

/** The same at a speed for the real clock. */
const fast = { ...limits, attemptTimeout: 50, pause: 10 };

/** Makes a function that hangs, then fails, then returns a value, and notes its calls. */
function makeUnreliable(now = Date.now) {
  const calls = [];
  const load = ({ number }) => {
    calls.push(now());
    if (number === 1) return new Promise(() => {});
    if (number === 2) throw new RangeError("busy");
    return "loaded";
  };
  return { calls, load };
}

module.exports = { fast, limits, makeUnreliable };
