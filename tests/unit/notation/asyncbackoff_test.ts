// The positional notation of asyncbackoff(), and the arguments of asyncretry().

import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Failure,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

type Arguments = readonly unknown[];

/** asyncbackoff() and asyncretry() as a caller without types may call them. */
const backoffBy = asyncbackoff as (...args: Arguments) => AsyncDecorator;
const retryBy = asyncretry as (...args: Arguments) => AsyncDecorator;

const never = () => new Promise<never>(() => {});

/** Hangs, then throws a TypeError, then a RangeError, and so on. */
function play(wrap: AsyncDecorator, now: () => number) {
  const starts: number[] = [];
  const observed = { starts, outcome: "pending", endedAt: NaN };
  const fn = wrap(() => {
    starts.push(now());
    if (starts.length % 3 === 1) return never();
    return Promise.reject(starts.length % 3 === 2 ? new TypeError() : new RangeError());
  });
  const end = (outcome: string) => Object.assign(observed, { outcome, endedAt: now() });
  return fn().then(() => end("value"), (error) => {
    const limit = error instanceof TimeoutError ? ` (${error.limit})` : "";
    return end(error.name + limit);
  });
}

async function playOnTestClock(make: (clock: TestClock) => AsyncDecorator) {
  const clock = new TestClock();
  const wrap = make(clock);
  const observed = await clock.run(play(wrap, () => clock.now()));
  clock.close();
  return { ...observed, statistic: { ...wrap.statistic } };
}

const growing = ({ tries }: Failure) => 100 * tries;

/** The same policy by position and by name, and what it comes to. */
const notations: {
  position: Arguments;
  name: Record<string, unknown>;
  starts: number[];
  outcome: string;
  endedAt: number;
}[] = [
  {
    position: [1000, 5000],
    name: { attemptTimeout: 1000, deadline: 5000 },
    starts: [0, 1000],
    outcome: "TypeError",
    endedAt: 1000,
  },
  {
    position: [1000, 5000, 500],
    name: { attemptTimeout: 1000, deadline: 5000, pause: 500 },
    starts: [0, 1500],
    outcome: "TypeError",
    endedAt: 1500,
  },
  {
    position: [1000, 5000, 500, TypeError],
    name: { attemptTimeout: 1000, deadline: 5000, pause: 500, exceptions: [TypeError] },
    starts: [0, 1500, 2000],
    outcome: "RangeError",
    endedAt: 2000,
  },
  {
    position: [1000, 4300, 500, TypeError, RangeError],
    name: {
      attemptTimeout: 1000,
      deadline: 4300,
      pause: 500,
      exceptions: [TypeError, RangeError],
    },
    starts: [0, 1500, 2000, 2500, 4000],
    outcome: "TypeError",
    endedAt: 4300,
  },
  {
    position: [1000, 5000, growing, TypeError],
    name: { attemptTimeout: 1000, deadline: 5000, pause: growing, exceptions: [TypeError] },
    starts: [0, 1100, 1300],
    outcome: "RangeError",
    endedAt: 1300,
  },
  {
    position: [null, 5000, 500, TypeError],
    name: { deadline: 5000, pause: 500, exceptions: [TypeError] },
    starts: [0],
    outcome: "TimeoutError (deadline)",
    endedAt: 5000,
  },
  {
    position: [1000, null, 500, TypeError],
    name: { attemptTimeout: 1000, pause: 500, exceptions: [TypeError] },
    starts: [0, 1500, 2000],
    outcome: "RangeError",
    endedAt: 2000,
  },
  {
    position: [1000, 5000, null, TypeError],
    name: { attemptTimeout: 1000, deadline: 5000, exceptions: [TypeError] },
    starts: [0, 1000, 1000],
    outcome: "RangeError",
    endedAt: 1000,
  },
  {
    position: [1000, 5000, undefined, TypeError],
    name: { attemptTimeout: 1000, deadline: 5000, exceptions: [TypeError] },
    starts: [0, 1000, 1000],
    outcome: "RangeError",
    endedAt: 1000,
  },
  {
    position: [1000, 5000, 500, null, TypeError, null],
    name: { attemptTimeout: 1000, deadline: 5000, pause: 500, exceptions: [TypeError] },
    starts: [0, 1500, 2000],
    outcome: "RangeError",
    endedAt: 2000,
  },
  {
    position: [1000, 5000, null, null],
    name: { attemptTimeout: 1000, deadline: 5000 },
    starts: [0, 1000],
    outcome: "TypeError",
    endedAt: 1000,
  },
  {
    position: [Infinity, 0, 0],
    name: { deadline: 0 },
    starts: [],
    outcome: "TimeoutError (deadline)",
    endedAt: 0,
  },
];

Deno.test("asyncbackoff() does the same by position as by name", async () => {
  for (const [index, { position, name, ...expected }] of notations.entries()) {
    const row = `row ${index}: ${position.map(String).join(", ")}`;
    const { statistic, ...observed } = await playOnTestClock((clock) =>
      backoffBy(...position, { clock })
    );
    assertEquals(observed, expected, row);
    const byName = await playOnTestClock((clock) => asyncbackoff({ ...name, clock }));
    assertEquals({ ...observed, statistic }, byName, row);
  }
});

Deno.test("asyncbackoff() needs no options behind the positions", async () => {
  for (const [index, { position, name: _, ...expected }] of notations.entries()) {
    const time = new FakeTime(0);
    try {
      const result = play(backoffBy(...position), () => time.now);
      await time.runMicrotasks();
      while (time.next()) await time.runMicrotasks();
      assertEquals(await result, expected, `row ${index}`);
    } finally {
      time.restore();
    }
  }
});

Deno.test("asyncbackoff() reads options behind the positions, from the third place on", async () => {
  const options = { maxTries: 3 };
  const rows: [args: Arguments, more: Record<string, unknown>, starts: number[]][] = [
    [[1000, 5000], { pause: 500, exceptions: "all" }, [0, 1500, 2000]],
    [[1000, 5000, 500], { exceptions: "all" }, [0, 1500, 2000]],
    [[1000, 5000, null], { pause: 500, exceptions: [TypeError] }, [0, 1500, 2000]],
    [[1000, 5000, 500, TypeError], {}, [0, 1500, 2000]],
    [[1000, 5000, 500, TypeError, RangeError], {}, [0, 1500, 2000]],
    [[null, null, 500, TypeError], { attemptTimeout: 1000 }, [0, 1500, 2000]],
    [[1000, 5000, 500, null], { exceptions: [TypeError] }, [0, 1500, 2000]],
    [[1000, 5000, 500, TypeError], { exceptions: null, pause: undefined }, [0, 1500, 2000]],
    [[1000, 5000, 500, TypeError], { giveup: (e: unknown) => e instanceof TypeError }, [
      0,
      1500,
    ]],
  ];
  for (const [index, [args, more, starts]] of rows.entries()) {
    const observed = await playOnTestClock((clock) =>
      backoffBy(...args, { ...options, ...more, clock })
    );
    assertEquals(observed.starts, starts, `row ${index}`);
    assertEquals(observed.endedAt, starts.at(-1), `row ${index}`);
  }
});

const named = "by position and by name";
const refused: [args: Arguments, message: string][] = [
  [[], "'attemptTimeout' must be a number of milliseconds, or null: it is undefined"],
  [[1000], "'deadline' must be a number of milliseconds, or null: it is undefined"],
  [[null], "'deadline' must be a number of milliseconds, or null: it is undefined"],
  [
    [1000, { maxTries: 3 }],
    "'deadline' must be a number of milliseconds, or null: it is an object",
  ],
  [
    ["1000", 5000],
    `'attemptTimeout' must be a number of milliseconds, or null: it is "1000"`,
  ],
  [[1000, "5000"], `'deadline' must be a number of milliseconds, or null: it is "5000"`],
  [
    [1000n, 5000],
    "'attemptTimeout' must be a number of milliseconds, or null: it is 1000n",
  ],
  [[{ attemptTimeout: 1000 }, 5000], "'attemptTimeout' must be a number of milliseconds"],
  [[TypeError], "'attemptTimeout' must be a number of milliseconds"],
  [[1000, TypeError], "'deadline' must be a number of milliseconds, or null"],
  [
    [1000, 5000, TypeError],
    "the pause comes before the classes, but it is function TypeError",
  ],
  [[1000, 5000, class {}, RangeError], "the pause comes before the classes"],
  [[1000, 5000, TypeError, { maxTries: 3 }], "the pause comes before the classes"],
  [[1000, 5000, [TypeError]], "'pause' must be"],
  [[1000, 5000, "500"], "'pause' must be"],
  [[1000, 5000, { maxTries: 3 }, TypeError], "'pause' must be"],
  [[1000, 5000, { maxTries: 3 }, { grace: 100 }], "'pause' must be"],
  [[1000, 5000, { maxTries: 3 }, null], "'pause' must be"],
  [[1000, 5000, 500, [TypeError]], "only classes come after the pause"],
  [[1000, 5000, 500, [TypeError], { maxTries: 3 }], "only classes come after the pause"],
  [[1000, 5000, 500, 3], "only classes come after the pause, but there is 3"],
  [
    [1000, 5000, 500, undefined],
    "only classes come after the pause, but there is undefined",
  ],
  [
    [1000, 5000, 500, TypeError, "all"],
    `only classes come after the pause, but there is "all"`,
  ],
  [[1000, 5000, 500, { maxTries: 3 }, TypeError], "only classes come after the pause"],
  [[1000, 5000, 500, { maxTries: 3 }, { grace: 100 }], "only classes come after the pause"],
  [[1000, 5000, 500, () => true], "'exceptions' must be"],
  [[1000, 5000, 500, TypeError, () => true, { maxTries: 3 }], "'exceptions' must be"],
  [[1000, 5000, { attemptTimeout: 1000 }], `'attemptTimeout' is given twice: ${named}`],
  [[1000, 5000, { deadline: 5000 }], `'deadline' is given twice: ${named}`],
  [[1000, 0, { deadline: 5000 }], `'deadline' is given twice: ${named}`],
  [[1000, 5000, 500, { pause: 500 }], `'pause' is given twice: ${named}`],
  [[1000, 5000, 0, { pause: 500 }], `'pause' is given twice: ${named}`],
  [[1000, 5000, 500, { pause: 0 }], `'pause' is given twice: ${named}`],
  [
    [1000, 5000, 500, TypeError, { exceptions: [RangeError] }],
    `'exceptions' is given twice: ${named}`,
  ],
  [
    [1000, 5000, 500, TypeError, { exceptions: [] }],
    `'exceptions' is given twice: ${named}`,
  ],
  [[1000, 5000, { retries: 3 }], "did you mean 'maxTries: 4'"],
  [[[1000, 5000]], "'attemptTimeout' must be a number of milliseconds"],
  [[1000, 5000, 500, new TypeError("an instance")], "only classes come after the pause"],
];

for (const [index, [args, message]] of refused.entries()) {
  const shown = args.map((each) => typeof each).join(", ");
  Deno.test(`asyncbackoff() throws TypeError when its arguments do not fit (${index}: ${shown})`, () => {
    assertThrows(() => backoffBy(...args), TypeError, message);
  });
}

Deno.test("asyncbackoff() shows how it is called when its arguments do not fit", () => {
  const { message } = assertThrows(() => backoffBy("1000"), TypeError);
  assertEquals(
    message,
    "Cannot read the arguments of 'asyncbackoff(attemptTimeout, deadline, pause?, " +
      "...exceptions, options?)' as 'attemptTimeout' must be a number of milliseconds, " +
      'or null: it is "1000"',
  );
});

Deno.test("asyncbackoff() throws TypeError when a signal stands where the pause does", () => {
  const { signal } = new AbortController(); // not in the table: a worker makes none at load
  assertThrows(() => backoffBy(null, null, signal), TypeError, "'pause' must be");
});

Deno.test("asyncbackoff() throws RangeError when a position holds a wrong value", () => {
  const rows: [args: Arguments, name: string][] = [
    [[-1, 5000], "attemptTimeout"],
    [[NaN, null], "attemptTimeout"],
    [[1000, -1], "deadline"],
    [[null, NaN, 0, TypeError], "deadline"],
    [[1000, 5000, -1], "pause"],
    [[1000, 5000, Infinity, TypeError], "pause"],
    [[1000, 5000, NaN, { maxTries: 3 }], "pause"],
    [[1000, 5000, { maxTries: 0 }], "maxTries"],
  ];
  for (const [args, name] of rows) {
    const row = args.map(String).join(", ");
    assertThrows(() => backoffBy(...args), RangeError, `'${name}' must be`, row);
  }
});

/** What asyncretry() makes of a function that always fails with the same value. */
async function retried(error: unknown, ...args: [unknown, Record<string, unknown>?]) {
  const [maxTries, options] = args;
  const clock = new TestClock();
  const wrap = retryBy(maxTries, { ...options, clock });
  const result = wrap(() => Promise.reject(error))();
  const settled = await clock.run(Promise.allSettled([result]));
  assertEquals(settled, [{ status: "rejected", reason: error }]);
  clock.close();
  return [wrap.statistic.attempts, clock.now()];
}

const abortError = () => Object.assign(new Error("stop"), { name: "AbortError" });

Deno.test("asyncretry() retries whatever is thrown, up to the bound", async () => {
  const timeout = new DOMException("late", "TimeoutError");
  for (const error of [new Error("down"), "down", 0, null, undefined, Symbol(), timeout]) {
    const row = `throws ${String(error)}`;
    assertEquals(await retried(error, 3, { pause: 100 }), [3, 200], row);
    assertEquals(await retried(error, 1, { pause: 100 }), [1, 0], row);
  }
});

Deno.test("asyncretry() does not retry an AbortError, unless a class says so", async () => {
  for (const error of [abortError(), new DOMException("stop", "AbortError")]) {
    for (const exceptions of [undefined, null, "all", [TypeError], []]) {
      const observed = await retried(error, 3, { pause: 100, exceptions });
      assertEquals(observed, [1, 0], `${exceptions}`);
    }
  }
  assertEquals(await retried(abortError(), 3, { exceptions: [Error] }), [3, 0]);
});

Deno.test("asyncretry() retries only its classes and timeouts when they are given", async () => {
  const timeout = new DOMException("late", "TimeoutError");
  for (const exceptions of [[TypeError], []]) {
    assertEquals(await retried(new RangeError(), 3, { exceptions }), [1, 0]);
    assertEquals(await retried(timeout, 3, { exceptions }), [3, 0]);
  }
  assertEquals(await retried(new TypeError(), 3, { exceptions: [TypeError] }), [3, 0]);
});

Deno.test("asyncretry() takes null and Infinity for no bound", async () => {
  for (const maxTries of [null, Infinity]) {
    const giveup = (_: unknown, { tries }: Failure) => tries === 50;
    const observed = await retried("down", maxTries, { pause: 100, giveup });
    assertEquals(observed, [50, 4900], `${maxTries}`);
  }
  assertEquals(await retried("down", null, { maxTries: 2 }), [2, 0]);
});

Deno.test("asyncretry() keeps to every option of asyncbackoff(), limits included", async () => {
  const clock = new TestClock();
  const told: string[] = [];
  const retry = asyncretry(9, {
    attemptTimeout: 1000,
    deadline: 5000,
    pause: 500,
    grace: 100,
    giveup: () => told.push("giveup") < 0,
    observe: ({ type }) => told.push(type),
    clock,
  });
  const result = retry(never)();
  // Cut at 1000, with a grace until 1100 and a pause until 1600; so the fourth, from 4800, is cut off.
  const error = await assertRejects(() => clock.run(result), TimeoutError);
  assertEquals([error.limit, clock.now()], ["attempt", 5000]);
  const { sumTime, ...counts } = retry.statistic;
  assertEquals(counts, { attempts: 4, done: 4, errors: 3, cancels: 1, refused: 0 });
  assertEquals(sumTime, 5000);
  const failed = ["attempt", "giveup", "failure"];
  assertEquals(told, [...failed, ...failed, ...failed, "attempt", "done"]);
  clock.close();
});

Deno.test("asyncretry() does as asyncbackoff() by name with 'maxTries' and all exceptions", async () => {
  const limits = { attemptTimeout: 1000, deadline: 8000, pause: 500 };
  const short = await playOnTestClock((clock) => asyncretry(4, { ...limits, clock }));
  const long = await playOnTestClock((clock) =>
    asyncbackoff({ ...limits, maxTries: 4, exceptions: "all", clock })
  );
  assertEquals(short, long);
  assertEquals(short.starts, [0, 1500, 2000, 2500]);
  assertEquals([short.outcome, short.endedAt], ["TimeoutError (attempt)", 3500]);
});

Deno.test("asyncretry() can do without options", async () => {
  for (const args of [[2], [2, null], [2, undefined], [2, {}]]) {
    const wrap = retryBy(...args);
    assertEquals(await wrap(() => Promise.resolve("value"))(), "value");
    assertEquals(wrap.statistic.attempts, 1);
  }
});

const refusedByRetry: [args: Arguments, message: string][] = [
  [[], "asyncretry(maxTries, options?)"],
  [[], "'maxTries' must be an integer >= 1, or null: it is undefined"],
  [[undefined, {}], "asyncretry(maxTries, options?)"],
  [[3, 100], "the options as they must be an object: current value is 100"],
  [[3, TypeError], "must be an object: current value is function TypeError"],
  [[3, [TypeError]], "must be an object: current value is an array of 1"],
  [[3, {}, TypeError], "asyncretry(maxTries, options?)"],
  [[3, {}, TypeError], "there are at most two: there are 3"],
  [[3, {}, undefined], "asyncretry(maxTries, options?)"],
  [[{ maxTries: 3 }], "'maxTries' must be"],
  [["3"], "'maxTries' must be"],
  [[3n], "'maxTries' must be"],
  [[() => Promise.resolve()], "'maxTries' must be"],
  [[3, { maxTries: 4 }], "'maxTries' is given twice"],
  [[3, { maxTries: 3 }], "'maxTries' is given twice"],
  [[3, { retries: 4 }], "'retries' is none of them"],
  [[3, { timeout: 1000 }], "did you mean 'attemptTimeout'"],
  [[3, { exceptions: TypeError }], "'exceptions' must be"],
  [[3, { exceptions: "" }], "'exceptions' must be"],
];

for (const [index, [args, message]] of refusedByRetry.entries()) {
  const shown = args.map((each) => typeof each).join(", ");
  Deno.test(`asyncretry() throws TypeError when its arguments do not fit (${index}: ${shown})`, () => {
    assertThrows(() => retryBy(...args), TypeError, message);
  });
}

Deno.test("asyncretry() names itself, and not asyncbackoff(), when 'maxTries' is given twice", () => {
  const { message } = assertThrows(() => retryBy(3, { maxTries: 4 }), TypeError);
  assertStringIncludes(message, "asyncretry(maxTries, options?)");
});

Deno.test("asyncretry() throws RangeError when the bound is no integer of at least 1", () => {
  for (const maxTries of [0, -1, 2.5, NaN, -Infinity]) {
    assertThrows(() => asyncretry(maxTries), RangeError, `current value is ${maxTries}`);
  }
});
