// A test file of Jest, configured to fake the timers of every file before it is loaded. The
// window of jsdom has no other way than timers to wait for a turn of the event loop.

const { Backoff, TimeoutError } = require("@asyncbackoff/asyncbackoff");
const { TestClock } = require("@asyncbackoff/asyncbackoff/testing");
const { limits, makeUnreliable } = require("./unreliable.js");

const hasTurns = typeof setImmediate === "function";

test("the timers are faked", () => {
  expect(jest.isMockFunction(setTimeout) || setTimeout.clock !== undefined).toBe(true);
  expect(hasTurns).toBe(typeof window === "undefined");
});

test("TestClock.run() settles, or rejects where no turn of the event loop is real", async () => {
  const clock = new TestClock();
  const { load } = makeUnreliable(() => clock.now());
  const result = clock.run(new Backoff({ ...limits, clock }).execute(load));
  if (hasTurns) expect(await result).toBe("loaded");
  else await expect(result).rejects.toThrow("timers must not be faked when the library");
});

test("TestClock.advance() resolves, or rejects", async () => {
  const result = new TestClock().advance(10);
  if (hasTurns) expect(await result).toBe(undefined);
  else await expect(result).rejects.toThrow("timers must not be faked when the library");
});

test("the fake drives limits and pauses", async () => {
  const { load } = makeUnreliable();
  const result = new Backoff(limits).execute(load);
  await jest.advanceTimersByTimeAsync(2000);
  expect(await result).toBe("loaded");
  const late = expect(new Backoff({ deadline: 50 }).execute(() => new Promise(() => {})))
    .rejects.toThrow(TimeoutError);
  await jest.advanceTimersByTimeAsync(50);
  await late;
});
