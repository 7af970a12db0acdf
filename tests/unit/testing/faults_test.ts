// faults(): seeded faults in wrapped functions.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { type FaultOptions, faults, TestClock } from "@asyncbackoff/asyncbackoff/testing";

const settle = (promise: Promise<unknown>) => promise.then(String, (error) => `${error}`);

Deno.test("faults() gives this log when the seed is 1, in each runtime", async () => {
  const clock = new TestClock();
  const unreliable = faults({ seed: 1, fail: 0.3, hang: 0.2, slow: 0.2, clock });
  const fn = unreliable(() => {});
  const backoff = new Backoff({ attemptTimeout: 5000, maxTries: 1, clock });
  for (let call = 0; call < 12; call++) {
    await clock.run(backoff.execute(() => fn())).catch(() => {});
  }
  assertEquals(unreliable.log.join(" "), LOG);
  clock.close();
});

const LOG = "slow fail slow none none fail slow none hang none hang hang";

Deno.test("faults() draws as often as the shares say", async () => {
  const N = 20_000;
  const unreliable = faults({ seed: 2, fail: 0.5, hang: 0, slow: 0.1, slowBy: 0 });
  const fn = unreliable(() => {});
  const calls = Array.from({ length: N }, () => fn().catch(() => {}));
  const share = (name: string) => unreliable.log.filter((each) => each === name).length / N;
  assertAlmostEquals(share("fail"), 0.5, 4 * Math.sqrt(0.25 / N));
  assertAlmostEquals(share("slow"), 0.1, 4 * Math.sqrt(0.09 / N));
  assertEquals(share("hang"), 0);
  await Promise.all(calls);
});

Deno.test("faults() calls the function with its this and arguments when there is no fault", async () => {
  const object = {
    base: 1,
    add: faults()(function (this: { base: number }, one: number, two: number) {
      return this.base + one + two;
    }),
  };
  assertEquals(await object.add(2, 3), 6);
});

Deno.test("faults() fails calls with the error that is made, and does not call the function", async () => {
  let calls = 0;
  const fn = () => calls += 1;
  assertEquals(await settle(faults({ fail: 1 })(fn)()), "Error: fault in call 1");
  const thrown: number[] = [];
  const own = faults({ fail: 1, error: (call) => (thrown.push(call), call) })(fn);
  assertEquals([await settle(own()), await settle(own())], ["1", "2"]);
  assertEquals([thrown, calls], [[1, 2], 0]);
});

Deno.test("faults() delays a slow call, which its attempt's signal ends", async () => {
  const clock = new TestClock();
  const at: number[] = [];
  const log = () => at.push(clock.now());
  const fn = faults({ slow: 1, clock })(log);
  await clock.run(fn());
  const slower = faults({ slow: 1, slowBy: 300, clock })(log);
  await clock.run(new Backoff({ clock }).execute(() => slower()));
  const backoff = new Backoff({ attemptTimeout: 100, maxTries: 1, clock });
  await assertRejects(() => clock.run(backoff.execute(() => slower())));
  assertEquals([at, clock.now()], [[1000, 1300], 1400]);
  clock.close();
});

Deno.test("faults() hangs a call until its attempt's signal aborts", async () => {
  const clock = new TestClock();
  const fn = faults({ hang: 1, clock })(() => "value");
  const reason = new Error("no longer needed");
  const controller = new AbortController();
  let end: Promise<unknown> = Promise.resolve();
  const result = new Backoff({ clock }).execute(() => {
    const call = fn();
    end = call.catch((error) => error);
    return call;
  }, { signal: controller.signal });
  clock.after(70, () => controller.abort(reason));
  await assertRejects(() => clock.run(result), Error, "no longer needed");
  assertStrictEquals(await end, reason);
  let isSettled = false;
  const settled = () => isSettled = true;
  fn().then(settled, settled); // outside of an execution
  await clock.advance(1e6);
  assert(!isSettled);
});

const wrong: [options: unknown, message: string][] = [
  [{ seed: 0.5 }, "option 'seed' must be an integer, got 0.5"],
  [{ fail: 2 }, "option 'fail' must be a number from 0 to 1, got 2"],
  [{ hang: -1 }, "option 'hang' must be a number from 0 to 1, got -1"],
  [{ slow: "1" }, "option 'slow' must be a number from 0 to 1, got \"1\""],
  [{ slowBy: Infinity }, "option 'slowBy' must be a finite number of milliseconds >= 0"],
  [{ error: 1 }, "option 'error' must be a function, got 1"],
  [{ failures: 1 }, "unknown option 'failures', the options are seed, fail"],
  [{ fail: 0.5, slow: 0.75 }, "the sum of 'fail', 'hang' and 'slow' must be at most 1"],
  [3, "the options must be an object, got 3"],
];

Deno.test("faults() throws when an option is wrong", () => {
  for (const [options, message] of wrong) {
    assertThrows(
      () => faults(options as FaultOptions),
      Error,
      `Cannot make faults: ${message}`,
    );
  }
  assertThrows(
    () => faults(null)("load" as never),
    TypeError,
    "Cannot add faults: 'fn' must be a function, got \"load\"",
  );
  faults({ fail: 0.1, hang: 0.2, slow: 0.7 }); // their sum is slightly more than 1
});
