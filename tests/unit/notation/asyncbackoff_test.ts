// The positional notation of asyncbackoff().

import { assertEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  asyncbackoff,
  type AsyncDecorator,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import { play, playOnTestClock } from "../../support/played_decorator.ts";

type Arguments = readonly unknown[];

/** asyncbackoff() as a caller without types may call it. */
const backoffBy = asyncbackoff as (...args: Arguments) => AsyncDecorator;

const isTypeError = (error: unknown) => error instanceof TypeError;
const growing = ({ attempt }: Failure) => 100 * attempt;

/** The same policy by position and by name, and its attempts and outcome. */
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
    position: [1000, 5000, [500, 300], TypeError],
    name: {
      attemptTimeout: 1000,
      deadline: 5000,
      pause: [500, 300],
      exceptions: [TypeError],
    },
    starts: [0, 1500, 1800],
    outcome: "RangeError",
    endedAt: 1800,
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

Deno.test("asyncbackoff() makes the same policy by position as by name", async () => {
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

Deno.test("asyncbackoff() works without options after the positions", async () => {
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

Deno.test("asyncbackoff() accepts options after the positions, from the third place on", async () => {
  const options = { maxTries: 3 };
  const rows: [args: Arguments, more: Record<string, unknown>, starts: number[]][] = [
    [[1000, 5000], { pause: 500, exceptions: "all" }, [0, 1500, 2000]],
    [[1000, 5000, 500], { exceptions: "all" }, [0, 1500, 2000]],
    [[1000, 5000, null], { pause: 500, exceptions: [TypeError] }, [0, 1500, 2000]],
    [[1000, 5000, 500], { exceptions: isTypeError }, [0, 1500, 2000]],
    [[1000, 5000, [500, 300]], { exceptions: "all" }, [0, 1500, 1800]],
    [[1000, 1600, 500, TypeError], { minRemaining: 0 }, [0, 1500]],
    [[1000, 5000, 500, TypeError], { name: "load", retryExhausted: false }, [
      0,
      1500,
      2000,
    ]],
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

const USAGE = "asyncbackoff(attemptTimeout, deadline, pause?, ...exceptions, options?)";

/** The message with which arguments are refused, without its beginning. */
function refusal(...args: Arguments): string {
  const { message } = assertThrows(() => backoffBy(...args), TypeError);
  const beginning = `Cannot call '${USAGE}': `;
  assertEquals(message.slice(0, beginning.length), beginning);
  return message.slice(beginning.length);
}

const attemptTimeout = "'attemptTimeout' must be a number of milliseconds, or null";
const deadline = "'deadline' must be a number of milliseconds, or null";
const order = "the pause must come before the classes";
const rest = "only classes, and the options at the end, may follow the pause";
const options = { maxTries: 3 };
const an = "an object (Object)";

const misplaced: [args: Arguments, message: string][] = [
  [[], `${attemptTimeout}, got undefined`],
  [[1000], `${deadline}, got undefined`],
  [[null], `${deadline}, got undefined`],
  [[1000, options], `${deadline}, got ${an}`],
  [["1000", 5000], `${attemptTimeout}, got "1000"`],
  [[1000, "5000"], `${deadline}, got "5000"`],
  [[1000n, 5000], `${attemptTimeout}, got 1000n`],
  [[{ attemptTimeout: 1000 }, 5000], `${attemptTimeout}, got ${an}`],
  [[[1000, 5000]], `${attemptTimeout}, got an array of 2`],
  [[new Map()], `${attemptTimeout}, got an object (Map)`],
  [[1000, TypeError], `${deadline}, got function TypeError`],
  [[1000, 5000, TypeError], `${order}, got function TypeError`],
  [[1000, 5000, class Own {}, RangeError], `${order}, got function Own`],
  [[1000, 5000, TypeError, options], `${order}, got function TypeError`],
  [[1000, 5000, 500, [TypeError]], `${rest}, got an array of 1`],
  [[1000, 5000, 500, [TypeError], options], `${rest}, got an array of 1`],
  [[1000, 5000, 500, 3], `${rest}, got 3`],
  [[1000, 5000, 500, undefined], `${rest}, got undefined`],
  [[1000, 5000, 500, TypeError, "all"], `${rest}, got "all"`],
  [[1000, 5000, 500, options, TypeError], `${rest}, got ${an}`],
  [[1000, 5000, 500, options, { grace: 100 }], `${rest}, got ${an}`],
  [[1000, 5000, 500, new TypeError("an instance")], `${rest}, got an object (TypeError)`],
];

for (const [index, [args, message]] of misplaced.entries()) {
  const types = args.map((each) => typeof each).join(", ");
  Deno.test(`asyncbackoff() throws TypeError when its arguments do not fit (${index}: ${types})`, () => {
    assertEquals(refusal(...args), message);
  });
}

const twice: [args: Arguments, name: string][] = [
  [[1000, 5000, { attemptTimeout: 1000 }], "attemptTimeout"],
  [[1000, 5000, { deadline: 5000 }], "deadline"],
  [[1000, 0, { deadline: 5000 }], "deadline"],
  [[1000, 5000, 500, { pause: 500 }], "pause"],
  [[1000, 5000, 0, { pause: 500 }], "pause"],
  [[1000, 5000, 500, { pause: 0 }], "pause"],
  [[1000, 5000, 500, TypeError, { exceptions: [RangeError] }], "exceptions"],
  [[1000, 5000, 500, TypeError, { exceptions: [] }], "exceptions"],
  [[1000, 5000, 500, TypeError, { exceptions: isTypeError }], "exceptions"],
  [[1000, 5000, [500], { pause: [500] }], "pause"],
];

for (const [index, [args, name]] of twice.entries()) {
  Deno.test(`asyncbackoff() throws TypeError when '${name}' is given twice (${index})`, () => {
    const rule = `'${name}' must be given once`;
    assertEquals(refusal(...args), `${rule}, got it by position and by name`);
  });
}

const pause =
  "option 'pause' must be a finite number of milliseconds >= 0, a list of them, " +
  "or a function that returns one";
const exceptions = `option 'exceptions' must be an array of classes, a predicate, or "all"`;

const wrongOptions: [args: Arguments, message: string][] = [
  [[1000, 5000, [TypeError]], `${pause}, got function TypeError`],
  [[1000, 5000, []], `${pause}, got an array of 0`],
  [[1000, 5000, "500"], `${pause}, got "500"`],
  [[1000, 5000, options, TypeError], `${pause}, got ${an}`],
  [[1000, 5000, options, { grace: 100 }], `${pause}, got ${an}`],
  [[1000, 5000, options, null], `${pause}, got ${an}`],
  [[1000, 5000, 500, () => true], `${exceptions}, got function`],
  [[1000, 5000, 500, TypeError, () => true, options], `${exceptions}, got function`],
  [
    [1000, 5000, { retries: 3 }],
    "unknown option 'retries', did you mean 'maxTries: 4' (the first attempt counts)?",
  ],
  [
    [1000, 5000, { factor: 3 }],
    "unknown option 'factor', did you mean 'pause: exponential({ factor: 3 })'?",
  ],
];

for (const [index, [args, message]] of wrongOptions.entries()) {
  Deno.test(`asyncbackoff() checks its arguments as options (${index})`, () => {
    const error = assertThrows(() => backoffBy(...args), TypeError);
    assertEquals(error.message, `Cannot make a policy: ${message}`);
  });
}

Deno.test("asyncbackoff() has a message with its usage when its arguments do not fit", () => {
  const { message } = assertThrows(() => backoffBy("1000"), TypeError);
  assertEquals(
    message,
    "Cannot call 'asyncbackoff(attemptTimeout, deadline, pause?, ...exceptions, options?)': " +
      `'attemptTimeout' must be a number of milliseconds, or null, got "1000"`,
  );
});

Deno.test("asyncbackoff() says that it must be called first when it receives the function to wrap", () => {
  const hint = "write 'asyncbackoff(…)(fn)', or '@asyncbackoff(…)' before a method";
  const rule = "it must be called before it wraps a function";
  const load = () => Promise.resolve("value");
  assertEquals(refusal(load), `${rule}, got function load; ${hint}`);
  assertEquals(refusal(load, options), `${rule}, got function load; ${hint}`);
  assertEquals(refusal(TypeError), `${rule}, got function TypeError; ${hint}`);
});

Deno.test("asyncbackoff() says that it must be called first when it decorates without its call", () => {
  const bare = asyncbackoff as unknown as <F>(fn: F, context: unknown) => F;
  const define = () =>
    class {
      @bare
      load() {}
    };
  const { message } = assertThrows(define, TypeError);
  assertEquals(
    message,
    `Cannot call '${USAGE}': it must be called before it wraps a function, got function ` +
      "load; write 'asyncbackoff(…)(fn)', or '@asyncbackoff(…)' before a method",
  );
});

Deno.test("asyncbackoff() throws TypeError when it receives a signal in place of the pause", () => {
  const { signal } = new AbortController(); // not in the table: a worker makes none at load
  const { message } = assertThrows(() => backoffBy(null, null, signal), TypeError);
  assertEquals(message, `Cannot make a policy: ${pause}, got an object (AbortSignal)`);
});

Deno.test("asyncbackoff() throws RangeError when an argument has a wrong value", () => {
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
    const message = `Cannot make a policy: option '${name}' must be`;
    assertThrows(() => backoffBy(...args), RangeError, message, row);
  }
});
