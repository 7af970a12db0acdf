// Aborts by the caller: when they take effect, which reason the execution rejects with, and
// that no timer and no listener is left.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  asyncbackoff,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  currentAttempt,
  type Statistic,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const reason = new Error("the caller's own reason");
const failure = new Error("down");
const fail = () => Promise.reject(failure);
const hang = () => new Promise<never>(() => {});

/** The error that a promise rejects with. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/** Waits for reactions of promises only: no timer fires and no I/O is done meanwhile. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await null;
}

/** An observer that writes a line for each event. */
function logTo(log: string[]) {
  return (event: BackoffEvent) => {
    const { at, type } = event;
    log.push(type === "done" ? `${at} done: ${event.reason}` : `${at} ${type}`);
  };
}

/** [attempts, done, errors, cancels, sumTime] */
function counts({ attempts, done, errors, cancels, sumTime }: Statistic): number[] {
  return [attempts, done, errors, cancels, sumTime];
}

/**
 * Counts the listeners on a signal. A listener that is added with `once` is removed by the event.
 */
function watch(signal: AbortSignal) {
  const listeners = new Map<unknown, boolean>();
  const watched = { left: () => 0, max: 0 };
  watched.left = () =>
    [...listeners.values()].filter((isOnce) => !(isOnce && signal.aborted)).length;
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener(...args: [string, unknown, { once?: boolean }?]) {
      listeners.set(args[1], args[2]?.once === true);
      watched.max = Math.max(watched.max, watched.left());
      return Reflect.apply(addEventListener, signal, args);
    },
    removeEventListener(...args: [string, unknown]) {
      if (args[0] === "abort") listeners.delete(args[1]);
      return Reflect.apply(removeEventListener, signal, args);
    },
  });
  return watched;
}

/** A signal by its shape only, like one of another realm. Its reason can be `undefined`. */
class PlainSignal extends EventTarget {
  aborted = false;
  readonly reason: unknown = undefined;

  abort(): void {
    this.aborted = true;
    this.dispatchEvent(new Event("abort"));
  }
}

Deno.test("Backoff.execute() rejects in the same turn and makes no other attempt when it is aborted in a pause", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({
    pause: 1000,
    exceptions: [Error],
    observe: logTo(log),
    clock,
  });
  let error: unknown;

  errorOf(backoff.execute(fail, { signal })).then((each) => error = each);
  await clock.advance(100);
  controller.abort(reason);
  await microtasks();

  assertStrictEquals(error, reason);
  assertEquals(clock.pending, 0);
  await clock.advance(5000);
  assertEquals(log, ["0 attempt", "0 failure", "100 done: aborted"]);
  assertEquals(counts(backoff.statistic), [1, 1, 1, 0, 100]);
  clock.close();
});

Deno.test("Backoff.execute() never calls the function and emits done alone when a signal is aborted beforehand", async () => {
  const clock = new TestClock(7000);
  const signal = AbortSignal.abort(reason);
  let calls = 0;
  const call = () => Promise.resolve(calls += 1);
  const log: string[] = [];
  const options: BackoffOptions = { deadline: 500, observe: logTo(log), clock };
  const ours = new Backoff({ ...options, signal });
  const other = new Backoff(options);

  assertStrictEquals(await clock.run(errorOf(ours.execute(call))), reason);
  assertStrictEquals(await clock.run(errorOf(ours.wrap(call)())), reason);
  assertStrictEquals(await clock.run(errorOf(other.execute(call, { signal }))), reason);

  assertEquals(calls, 0);
  assertEquals(log, ["7000 done: aborted", "7000 done: aborted", "7000 done: aborted"]);
  for (const { statistic } of [ours, other]) {
    assertEquals(counts(statistic), [0, 0, 0, 0, 0]);
  }
  clock.close();
});

for (
  const [name, each] of [
    ["null", null],
    ["0", 0],
    ["NaN", NaN],
    ["an empty string", ""],
    ["false", false],
    ["a symbol", Symbol("why")],
    ["an object", { status: 499 }],
    ["an error", failure],
  ] as const
) {
  Deno.test(`Backoff.execute() rejects with the reason itself when it is ${name}`, async () => {
    const clock = new TestClock();
    const controllers = [1, 2, 3].map(() => new AbortController());
    const [before, running, pausing] = controllers.map(({ signal }) => signal);
    const backoff = new Backoff({ pause: 1000, exceptions: [Error], clock });
    let seen: AbortSignal | undefined;

    controllers[0]?.abort(each);
    const errors = Promise.all([
      errorOf(backoff.execute(hang, { signal: before })),
      errorOf(backoff.execute((attempt) => (seen = attempt.signal, hang()), {
        signal: running,
      })),
      errorOf(backoff.execute(fail, { signal: pausing })),
    ]);
    await clock.advance(100);
    for (const controller of controllers) controller.abort(each);

    assertStrictEquals(seen?.reason, each);
    for (const error of await errors) assertStrictEquals(error, each);
    clock.close();
  });
}

Deno.test("Backoff.execute() rejects with the platform's own error when the signal is aborted without a reason", async () => {
  const controller = new AbortController();
  const result = errorOf(new Backoff().execute(hang, { signal: controller.signal }));
  controller.abort(undefined);

  assertEquals(controller.signal.reason.name, "AbortError");
  assertStrictEquals(await result, controller.signal.reason);
});

Deno.test("Backoff.execute() rejects with an AbortError when the platform gives the signal no reason", async () => {
  const signal = new PlainSignal();
  const options = { signal: signal as unknown as AbortSignal };
  const before = errorOf(new Backoff().execute(hang, options));
  signal.abort();

  for (const result of [before, errorOf(new Backoff().execute(hang, options))]) {
    const error = await result;
    assert(error instanceof Error);
    assertEquals(error.name, "AbortError");
  }
});

Deno.test("Backoff.execute() rejects with the reason of its own signal when both signals are aborted beforehand", async () => {
  const signal = AbortSignal.abort(reason);
  const backoff = new Backoff({ signal: AbortSignal.abort("the policy's") });

  assertStrictEquals(await errorOf(backoff.execute(hang, { signal })), reason);
  assertStrictEquals(await errorOf(backoff.execute(hang)), "the policy's");
});

Deno.test("Backoff.execute() rejects with the reason of the first signal that is aborted when there are two", async () => {
  for (const isOwnFirst of [true, false]) {
    const [own, policy] = [new AbortController(), new AbortController()];
    const backoff = new Backoff({ signal: policy.signal });
    let seen: AbortSignal | undefined;
    const result = errorOf(backoff.execute(({ signal }) => (seen = signal, hang()), own));

    const [first, second] = isOwnFirst ? [own, policy] : [policy, own];
    first.abort(reason);
    second.abort("too late");

    assertStrictEquals(await result, reason);
    assertStrictEquals(seen?.reason, reason);
  }
});

Deno.test("Backoff.execute() rejects in every execution, running or not yet begun, when the policy's signal aborts", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({ pause: 1000, exceptions: [Error], signal, clock });
  const running = [errorOf(backoff.execute(hang)), errorOf(backoff.wrap(fail)())];
  await clock.advance(100);
  controller.abort(reason);
  const errors = await Promise.all([...running, errorOf(backoff.execute(fail))]);

  assertEquals(errors.map((error) => error === reason), [true, true, true]);
  assertEquals(backoff.statistic.attempts, 2);
  clock.close();
});

Deno.test("Backoff.execute() rejects in the same turn when it is aborted in an attempt that ignores its signal", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const controller = new AbortController();
  const { signal } = controller;
  const backoff = new Backoff({ exceptions: "all", observe: logTo(log), clock });
  let error: unknown;

  errorOf(backoff.execute(() => clock.sleep(1000), { signal }))
    .then((each) => error = each);
  await clock.advance(50);
  controller.abort(reason);
  await microtasks();

  assertStrictEquals(error, reason);
  await clock.advance(1000);
  assertEquals(log, ["0 attempt", "50 done: aborted", "1000 late"]);
  assertEquals(counts(backoff.statistic), [1, 1, 0, 1, 50]);
  clock.close();
});

Deno.test("Backoff.execute() settles with whichever comes first when a value and an abort come in one turn", async () => {
  for (const isValueFirst of [true, false]) {
    const controller = new AbortController();
    let resolve = (_: string) => {};
    const result = new Backoff().execute(
      () => new Promise<string>((each) => resolve = each),
      controller,
    );
    if (isValueFirst) resolve("value");
    controller.abort("reason");
    resolve("value");

    assertEquals(await result.catch((error) => error), isValueFirst ? "value" : "reason");
  }
});

Deno.test("Backoff.execute() aborts the signal of its own attempt alone when executions run side by side", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const backoff = new Backoff({ attemptTimeout: 100, maxTries: 1, clock });
  const signals: AbortSignal[] = [];
  const work = ({ signal }: { signal: AbortSignal }) => (signals.push(signal), hang());
  const aborted = () => signals.map((signal) => signal.aborted);

  const first = errorOf(backoff.execute(work));
  await clock.advance(50);
  const second = errorOf(backoff.execute(work, controller));
  const third = errorOf(backoff.execute(work));
  await clock.advance(50);
  assertEquals(aborted(), [true, false, false]);
  controller.abort(reason);
  assertEquals(aborted(), [true, true, false]);
  await clock.advance(50);

  assert(await first instanceof TimeoutError);
  assertStrictEquals(await second, reason);
  assert(await third instanceof TimeoutError);
  clock.close();
});

Deno.test("Backoff.execute() leaves no listener on either signal, however it ends", async () => {
  const clock = new TestClock();
  const throwing = () => {
    throw reason;
  };
  const ends: [reason: string, options: BackoffOptions, fn: () => Promise<unknown>][] = [
    ["success", {}, () => Promise.resolve("value")],
    ["nonRetryable", { exceptions: [] }, fail],
    ["maxTries", { maxTries: 3 }, fail],
    ["giveup", { giveup: () => true }, fail],
    ["deadline", { deadline: 500 }, hang],
    ["deadline", { deadline: 500, pause: 1000 }, fail],
    ["deadline", { deadline: 0 }, hang],
    ["callbackError", { giveup: throwing }, fail],
    ["aborted", {}, hang],
    ["aborted", { pause: 1000 }, fail],
  ];
  for (const [end, options, fn] of ends) {
    for (const abortedBy of [0, 1]) {
      const log: string[] = [];
      const controllers = [new AbortController(), new AbortController()] as const;
      const watched = controllers.map(({ signal }) => watch(signal));
      const [own, policy] = controllers;
      const backoff = new Backoff({
        exceptions: [Error],
        observe: logTo(log),
        clock,
        ...options,
        signal: policy.signal,
      });
      const forget = end === "aborted"
        ? clock.after(100, () => controllers[abortedBy]?.abort())
        : () => {};

      await clock.run(errorOf(backoff.execute(fn, own)));

      forget();
      assert(log.at(-1)?.endsWith(`done: ${end}`), `${end}: ${log.at(-1)}`);
      assertEquals(watched.map(({ left }) => left()), [0, 0], end);
    }
  }
  clock.close();
});

Deno.test("Backoff.execute() has at most one listener on a signal when a thousand executions follow each other", async () => {
  const { signal } = new AbortController();
  const watched = watch(signal);
  const backoff = new Backoff({ exceptions: [Error], maxTries: 2 });
  for (let i = 0; i < 1000; i++) await backoff.execute(() => i, { signal });

  assertEquals(watched.max, 1);
  assertEquals(watched.left(), 0);
});

Deno.test("Backoff.execute() passes the attempt when the function declares no parameter", async () => {
  const given = await new Backoff().execute((...args) => args);
  const defaulted = await new Backoff().execute((attempt = undefined as never) => attempt);

  assertEquals(given.length, 1);
  assert(given[0].signal instanceof AbortSignal);
  assertEquals(defaulted.number, 1);
});

Deno.test("currentAttempt() returns the attempt when the decorated function declares no parameter", async () => {
  const clock = new TestClock();
  const load = asyncbackoff(100, 100, { clock })(() => clock.sleep(1000, currentAttempt()));
  const error = await clock.run(errorOf(load()));

  assert(error instanceof TimeoutError);
  assertEquals(clock.pending, 0); // the sleep ended with the attempt
  clock.close();
});

Deno.test("Backoff.execute() still ends when the function turns its abort into a retryable error", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  let calls = 0;
  const stubborn = ({ signal }: { signal: AbortSignal }) => {
    calls += 1;
    return clock.sleep(1000, { signal }).catch(fail);
  };
  const byDeadline = new Backoff({ deadline: 500, exceptions: "all", clock });
  const byCaller = new Backoff({ exceptions: "all", clock });

  const error = await clock.run(errorOf(byDeadline.execute(stubborn)));
  assert(error instanceof TimeoutError);
  assertEquals(clock.now(), 500);
  clock.after(100, () => controller.abort(reason));
  assertStrictEquals(
    await clock.run(errorOf(byCaller.execute(stubborn, controller))),
    reason,
  );
  assertEquals(clock.now(), 600);
  await clock.advance(5000);
  assertEquals(calls, 2);
  clock.close();
});

Deno.test("Attempt.signal aborts synchronously with the caller's reason when the caller aborts", async () => {
  const controller = new AbortController();
  let seen: AbortSignal | undefined;
  const result = new Backoff().execute(
    ({ signal }) => (seen = signal, hang()),
    controller,
  );
  assertEquals(seen?.aborted, false);
  controller.abort(reason);
  assertEquals(seen?.aborted, true);

  assertStrictEquals(seen?.reason, reason);
  assertStrictEquals(await errorOf(result), reason);
});

Deno.test("Attempt.signal is aborted with the caller's reason when it is first read after the abort", async () => {
  const controller = new AbortController();
  const seen: unknown[] = [];
  const result = new Backoff().execute((attempt) => {
    controller.abort(reason);
    seen.push(attempt.signal.aborted, attempt.signal.reason === reason);
    return hang();
  }, controller);

  assertStrictEquals(await errorOf(result), reason);
  assertEquals(seen, [true, true]);
});

Deno.test("Attempt.signal is the same object each time it is read", async () => {
  const clock = new TestClock();
  const seen: AbortSignal[] = [];
  const backoff = new Backoff({ deadline: 100, clock });

  await clock.run(errorOf(backoff.execute((attempt) => {
    seen.push(attempt.signal, attempt.signal);
    return hang();
  })));

  assertStrictEquals(seen[0], seen[1]);
  assertEquals(seen[0]?.aborted, true);
  clock.close();
});

Deno.test("Attempt.signal is each attempt's own, and does not abort when the attempt ended by itself", async () => {
  const clock = new TestClock();
  const own = new AbortController();
  const policy = new AbortController();
  const signals: AbortSignal[] = [];
  const backoff = new Backoff({
    deadline: 1000,
    pause: 100,
    exceptions: [Error],
    signal: policy.signal,
    clock,
  });
  const value = await clock.run(backoff.execute(({ number, signal }) => {
    signals.push(signal);
    return number < 3 ? fail() : "value";
  }, own));
  own.abort();
  policy.abort();
  await clock.advance(5000);

  assertEquals(value, "value");
  assertEquals(new Set([own.signal, policy.signal, ...signals]).size, 5);
  assertEquals(signals.map((signal) => signal.aborted), [false, false, false]);
  clock.close();
});

Deno.test("Attempt.signal of a failed attempt does not abort when the caller aborts in the pause after it", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  let seen: AbortSignal | undefined;
  const backoff = new Backoff({ pause: 1000, exceptions: [Error], clock });
  const result = errorOf(
    backoff.execute(({ signal }) => (seen = signal, fail()), controller),
  );
  await clock.advance(100);
  controller.abort(reason);

  assertStrictEquals(await result, reason);
  assertEquals(seen?.aborted, false);
  clock.close();
});

Deno.test("Backoff.execute() counts the timeout as a failure when it is aborted in the grace", async () => {
  const clock = new TestClock();
  const log: string[] = [];
  const controller = new AbortController();
  const backoff = new Backoff({
    attemptTimeout: 100,
    grace: 100,
    observe: logTo(log),
    clock,
  });
  let seen: AbortSignal | undefined;
  clock.after(150, () => controller.abort(reason));
  const work = ({ signal }: { signal: AbortSignal }) => (seen = signal, hang());
  const error = await clock.run(errorOf(backoff.execute(work, controller)));

  assertStrictEquals(error, reason);
  assert(seen?.reason instanceof TimeoutError); // it had timed out already
  assertEquals(log, ["0 attempt", "150 failure", "150 done: aborted"]);
  assertEquals(counts(backoff.statistic), [1, 1, 1, 0, 150]);
  clock.close();
});

for (const option of ["giveup", "pause"] as const) {
  Deno.test(`Backoff.execute() emits the failure and then the abort when ${option} aborts it`, async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const controller = new AbortController();
    const answers = {
      giveup: () => (controller.abort(reason), true),
      pause: () => (controller.abort(reason), 1000),
    };
    const backoff = new Backoff({
      [option]: answers[option],
      exceptions: [Error],
      observe: logTo(log),
      clock,
    });
    const error = await clock.run(errorOf(backoff.execute(fail, controller)));

    assertStrictEquals(error, reason);
    assertEquals(log, ["0 attempt", "0 failure", "0 done: aborted"]);
    assertEquals(counts(backoff.statistic), [1, 1, 1, 0, 0]);
    clock.close();
  });
}

Deno.test("Backoff.execute() rejects with the first reason when giveup aborts two signals", async () => {
  const [own, policy] = [new AbortController(), new AbortController()];
  const giveup = () => {
    own.abort(reason);
    policy.abort("too late");
    return false;
  };
  const backoff = new Backoff({ exceptions: [Error], giveup, signal: policy.signal });

  assertStrictEquals(await errorOf(backoff.execute(fail, own)), reason);
});

// Attempt 1 times out at 100 and ends late at 150. Attempt 2 begins at 200 and is the last:
// it fails at 250.
for (
  const [type, calls, log] of [
    ["attempt", 0, ["0 attempt", "0 done: aborted"]],
    ["failure", 1, ["0 attempt", "100 failure", "100 done: aborted", "150 late"]],
    ["late", 1, ["0 attempt", "100 failure", "150 late", "150 done: aborted"]],
    ["done", 2, [
      "0 attempt",
      "100 failure",
      "150 late",
      "200 attempt",
      "250 failure",
      "250 done: maxTries",
    ]],
  ] as const
) {
  Deno.test(`Backoff.execute() keeps the order of events when its observer aborts it at '${type}'`, async () => {
    const clock = new TestClock();
    const seen: string[] = [];
    const controller = new AbortController();
    const observe = logTo(seen);
    const backoff = new Backoff({
      attemptTimeout: 100,
      pause: 100,
      exceptions: [Error],
      maxTries: 2,
      observe: (event) => {
        observe(event);
        if (event.type === type) controller.abort(reason);
      },
      clock,
    });
    let called = 0;
    const result = errorOf(
      backoff.execute(({ number }) => {
        called += 1;
        return clock.sleep(number === 1 ? 150 : 50).then(fail);
      }, controller),
    );
    await clock.advance(5000);

    assertEquals(seen, [...log]);
    assertEquals(called, calls);
    // With `done`, the execution has ended already: an abort is too late.
    assertStrictEquals(await result, type === "done" ? failure : reason);
    clock.close();
  });
}

for (const withAfter of [true, false]) {
  const clocks = withAfter ? "with `after`" : "with `sleep` alone";
  const clockOf = (clock: TestClock) =>
    withAfter ? clock : {
      now: () => clock.now(),
      sleep: (...args: Parameters<TestClock["sleep"]>) => clock.sleep(...args),
    };

  Deno.test(`Backoff.execute() ends in its pause when an abort listener aborts it at an attempt timeout, on a clock ${clocks}`, async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const controller = new AbortController();
    const backoff = new Backoff({
      attemptTimeout: 100,
      pause: 1000,
      exceptions: [],
      observe: logTo(log),
      clock: clockOf(clock),
    });
    const error = await clock.run(errorOf(
      backoff.execute(({ signal }) => {
        signal.addEventListener("abort", () => controller.abort(reason));
        return hang();
      }, controller),
    ));

    assertStrictEquals(error, reason);
    assertEquals(log, ["0 attempt", "100 failure", "100 done: aborted"]);
    assertEquals(backoff.statistic.errors, 1);
    assertEquals(backoff.statistic.cancels, 0);
    clock.close();
  });

  Deno.test(`Backoff.execute() ends by its deadline when an abort listener aborts it at that instant, on a clock ${clocks}`, async () => {
    const clock = new TestClock();
    const log: string[] = [];
    const controller = new AbortController();
    const backoff = new Backoff({
      deadline: 500,
      observe: logTo(log),
      clock: clockOf(clock),
    });
    const error = await clock.run(errorOf(
      backoff.execute(({ signal }) => {
        signal.addEventListener("abort", () => controller.abort(reason));
        return hang();
      }, controller),
    ));

    assert(error instanceof TimeoutError);
    assertEquals(log, ["0 attempt", "500 done: deadline"]);
    clock.close();
  });
}

Deno.test("Backoff.execute() rejects with the timeout when an abort listener aborts it at the timeout of the last attempt", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const backoff = new Backoff({ attemptTimeout: 100, maxTries: 1, clock });
  const error = await clock.run(errorOf(
    backoff.execute(({ signal }) => {
      signal.addEventListener("abort", () => controller.abort(reason));
      return hang();
    }, controller),
  ));

  assert(error instanceof TimeoutError);
  assertEquals(error.limit, "attempt");
  clock.close();
});

Deno.test("Backoff.execute() rejects with the caller's reason when the function aborts it, whatever the function does next", async () => {
  const clock = new TestClock();
  const endings = [
    () => "value",
    () => Promise.resolve("value"),
    fail,
    () => {
      throw failure;
    },
    hang,
  ];
  for (const ending of endings) {
    const controller = new AbortController();
    const backoff = new Backoff({ exceptions: "all", pause: 100, clock });
    const result = errorOf(backoff.execute(() => {
      controller.abort(reason);
      return ending();
    }, controller));
    await clock.advance(1000);

    assertStrictEquals(await result, reason);
    assertEquals(backoff.statistic.attempts, 1);
    assertEquals(backoff.statistic.cancels, 1);
  }
  clock.close();
});

Deno.test("Backoff.execute() rejects with the caller's reason at the deadline when the abort was scheduled before the execution", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ deadline: 500, clock });
  for (const isBefore of [true, false]) {
    const controller = new AbortController();
    const schedule = () => clock.after(500, () => controller.abort(reason));
    if (isBefore) schedule();
    const result = errorOf(backoff.execute(hang, controller));
    if (!isBefore) schedule();
    await clock.advance(500);

    // The timer of the deadline is armed as the execution begins, so an abort that is
    // scheduled later loses the tie.
    assertEquals(await result === reason, isBefore);
  }
  clock.close();
});

Deno.test("Backoff.execute() begins no attempt when an abort that was scheduled earlier ties with the end of a pause", async () => {
  const clock = new TestClock();
  const backoff = new Backoff({ pause: 100, exceptions: [Error], clock });
  const controller = new AbortController();
  clock.after(100, () => controller.abort(reason));

  assertStrictEquals(await clock.run(errorOf(backoff.execute(fail, controller))), reason);
  assertEquals(clock.now(), 100);
  assertEquals(backoff.statistic.attempts, 1);
  clock.close();
});

Deno.test("Backoff.execute() emits no late event when an attempt rejects with the caller's reason, whatever that is", async () => {
  for (const each of [reason, null, "", NaN]) {
    for (const isSignalRead of [true, false]) {
      const clock = new TestClock();
      const log: string[] = [];
      const controller = new AbortController();
      const backoff = new Backoff({ observe: logTo(log), clock });
      // A function that does not read the attempt's signal may listen to the caller's.
      const work = (attempt: { signal: AbortSignal }) =>
        clock.sleep(1000, isSignalRead ? attempt : controller);
      const result = errorOf(backoff.execute(work, controller));
      controller.abort(each);

      assertStrictEquals(await result, each);
      await clock.advance(0);
      assertEquals(log, ["0 attempt", "0 done: aborted"], String(each));
      clock.close();
    }
  }
});

Deno.test("Backoff.execute() emits no late event when the platform gives the caller's signal no reason", async () => {
  const signal = new PlainSignal();
  const log: string[] = [];
  const clock = new TestClock();
  const backoff = new Backoff({ observe: logTo(log), clock });
  let seen: unknown;
  const result = errorOf(backoff.execute((attempt) => {
    return new Promise((_, reject) => {
      attempt.signal.addEventListener("abort", () => reject(seen = attempt.signal.reason));
    });
  }, { signal: signal as unknown as AbortSignal }));
  signal.abort();

  const error = await result;
  await clock.advance(0);
  assertStrictEquals(seen, error); // an AbortError, also for the attempt
  assertEquals(log, ["0 attempt", "0 done: aborted"]);
  clock.close();
});

Deno.test("Backoff.execute() emits a late value when the platform gives the caller's signal no reason", async () => {
  const signal = new PlainSignal();
  const log: string[] = [];
  const clock = new TestClock();
  const backoff = new Backoff({ observe: logTo(log), clock });
  clock.after(50, () => signal.abort());

  const result = backoff.execute(() => clock.sleep(100), {
    signal: signal as unknown as AbortSignal,
  });

  const error = await clock.run(errorOf(result));
  assert(error instanceof Error && error.name === "AbortError");
  await clock.advance(50);
  assertEquals(log, ["0 attempt", "50 done: aborted", "100 late"]);
  clock.close();
});

Deno.test("Backoff.execute() adds one listener to a signal that many executions share, as long as one is running", async () => {
  const clock = new TestClock();
  const { signal } = new AbortController();
  const watched = watch(signal);
  const backoff = new Backoff({ signal, clock });
  const listening: number[] = [];

  const results = [100, 200, 300].map((ms) =>
    backoff.execute(() => clock.sleep(ms)).then(() => listening.push(watched.left()))
  );
  await clock.run(Promise.all(results));

  assertEquals(watched.max, 1);
  assertEquals(listening, [1, 1, 0]);
  clock.close();
});

for (const place of ["giveup", "pause"] as const) {
  Deno.test(`Backoff.execute() does not abort the signal of a failed attempt when ${place} aborts the execution`, async () => {
    const clock = new TestClock();
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const abort = () => {
      controller.abort(reason);
      return place === "pause" ? 10 : false;
    };
    const backoff = new Backoff({ exceptions: [Error], [place]: abort, clock });

    const result = backoff.execute(({ signal }) => {
      signals.push(signal);
      throw new Error("by itself");
    }, controller);

    assertStrictEquals(await clock.run(errorOf(result)), reason);
    assertEquals(signals.map(({ aborted }) => aborted), [false]);
    clock.close();
  });
}

Deno.test("Backoff.execute() believes a signal whose abort event was hidden by another listener", async () => {
  const clock = new TestClock();
  const controller = new AbortController();
  const { signal } = controller;
  signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
  const policy = { deadline: 100, pause: 10, exceptions: [Error], clock };
  const result = errorOf(
    new Backoff(policy).execute(() => Promise.reject(new Error("down")), { signal }),
  );
  clock.after(5, () => controller.abort("enough"));

  assertEquals(await clock.run(result), "enough");
  assertEquals(clock.now(), 10);
});
