// The package `async`, which recognises async functions by their tag.

const { deepStrictEqual } = require("node:assert");
const async = require("async");
const { asyncbackoff, asyncretry } = require("@asyncbackoff/asyncbackoff");
const { check, runChecks } = require("./check.js");

/** A function that fails at the first call with each value. */
function makeDouble() {
  const seen = new Set();
  return async (value) => {
    const isFirst = !seen.has(value);
    seen.add(value);
    if (isFirst) throw new RangeError("busy");
    return await value * 2;
  };
}

const notations = {
  asyncretry: asyncretry(3),
  asyncbackoff: asyncbackoff(1000, 5000, 1, RangeError),
};
for (const [name, wrap] of Object.entries(notations)) {
  check(`async.map() settles with a function of ${name}()`, async () => {
    deepStrictEqual(await async.map([1, 2, 3], wrap(makeDouble())), [2, 4, 6]);
  });

  check(`async.queue() works with a function of ${name}()`, async () => {
    const queue = async.queue(wrap(makeDouble()), 2);
    deepStrictEqual(await Promise.all([1, 2, 3].map((n) => queue.pushAsync(n))), [2, 4, 6]);
  });
}

check("a function that calls the wrapped one settles", async () => {
  const double = asyncretry(3)(makeDouble());
  deepStrictEqual(await async.map([1, 2, 3], async (n) => await double(n)), [2, 4, 6]);
});

check("async.map() settles with a callback and asyncify()", async () => {
  const double = async.asyncify(asyncretry(3)(makeDouble()));
  const doubled = await new Promise((resolve, reject) =>
    async.map([1, 2, 3], double, (error, result) => error ? reject(error) : resolve(result))
  );
  deepStrictEqual(doubled, [2, 4, 6]);
});

runChecks();
