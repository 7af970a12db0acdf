// Timeline: the events that it keeps, and its drawings as text and as SVG.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Limit,
  linear,
  type Reason,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import fc from "fast-check";
import { assertPlainColors, elementsIn, textsIn } from "../../support/svg.ts";

class Down extends Error {
  override name = "Down";
}

/** A clock, a timeline, and a policy whose executions are numbered from 1. */
function fixture(options: BackoffOptions) {
  const clock = new TestClock();
  const timeline = new Timeline();
  let before: number | null = null;
  const observe = (event: BackoffEvent) => {
    const first = before ??= event.execution - 1;
    const { outer } = event;
    timeline.observe({
      ...event,
      execution: event.execution - first,
      ...(outer && { outer: { ...outer, execution: outer.execution - first } }),
    });
  };
  const backoff = new Backoff({ exceptions: [Down], ...options, clock, observe });
  /**
   * Executes a function by a script: the duration of each attempt, negative for one that fails
   * after it. The last duration is repeated.
   */
  const execute = (...script: number[]) =>
    backoff.execute(async ({ number }) => {
      const ms = script[Math.min(number, script.length) - 1] ?? 0;
      await sleep(Math.abs(ms), { clock });
      if (ms < 0) throw new Down("busy");
      return "value";
    });
  return { clock, timeline, backoff, execute };
}

/** The lines of the drawing in 60 columns. */
const linesOf = (timeline: Timeline) => timeline.toString({ columns: 60 }).split("\n");

Deno.test("Timeline draws attempts and pauses to scale, and says how each attempt ended", async () => {
  const pause = linear({ initial: 100, step: 100, jitter: "none" });
  const { clock, timeline, execute } = fixture({ pause });
  await clock.run(execute(-100, -100, 100));
  assertEquals(linesOf(timeline), [
    "    0             200           400           600 ms",
    "#1  ███████───────                              1 Down: busy",
    "                  ███████──────────────         2 Down: busy",
    "                                       ███████  3 success",
    "█ attempt  ─ pause",
  ]);
});

Deno.test("Timeline draws late ends, and each limit as soon as an event shows it", async () => {
  const { clock, timeline, execute } = fixture({
    attemptTimeout: 300,
    deadline: 1000,
    pause: 100,
  });
  await clock.run(Promise.allSettled([execute(-100, 500, 600), sleep(1200, { clock })]));
  assertEquals(linesOf(timeline), [
    "    0             500          1000 ms",
    "#1  ███──   ┊                  │ 1 Down: busy",
    "         █████████──   ○       │ 2 attempt timeout, late va…",
    "                    ████████───│ 3 deadline: attempt timeout",
    "█ attempt  ─ pause  ┊ attempt timeout  │ deadline",
    "○ late end",
  ]);
});

Deno.test("Timeline draws a pause up to the deadline when it would last longer", async () => {
  const { clock, timeline, execute } = fixture({ deadline: 500, pause: 1000 });
  await clock.run(execute(-100).catch(() => {}));
  assertEquals(linesOf(timeline), [
    "    0            200          400 ms",
    "#1  ██████──────────────────────────│ 1 deadline: Down: busy",
    "█ attempt  ─ pause  │ deadline",
  ]);
});

Deno.test("Timeline draws a grace after the attempt timeout", async () => {
  const { clock, timeline, execute } = fixture({
    attemptTimeout: 200,
    grace: 100,
    pause: 100,
  });
  await clock.run(execute(1000, 250));
  assertEquals(linesOf(timeline), [
    "    0          200         400        600 ms",
    "#1  ████████████▒▒▒▒▒──────                1 attempt timeout",
    "                           ██████████████  2 success",
    "█ attempt  ▒ grace  ─ pause",
  ]);
});

/** Attempts that report progress at some of their instants, and are then silent. */
async function playReports(options: BackoffOptions, ...reports: number[][]) {
  const { clock, timeline, backoff } = fixture(options);
  const result = backoff.execute(async (attempt) => {
    const instants = reports[attempt.number - 1];
    if (instants === undefined) return "value";
    for (const at of instants) {
      await sleep(at - attempt.elapsed, { clock });
      attempt.progress();
    }
    return new Promise(() => {});
  });
  await clock.run(result.catch(() => {}));
  return timeline;
}

Deno.test("Timeline draws the first and the latest progress of an attempt, and the idle timeout", async () => {
  const options = { idleTimeout: 200, grace: 100, pause: 100, maxTries: 2 };
  const timeline = await playReports({ ...options, maxTries: 3 }, [100, 200, 300], []);
  assertEquals(linesOf(timeline), [
    "    0                 500               1000 ms",
    "#1  ████•██████•███████▒▒▒───                 1 idle timeout",
    "                             ████████▒▒▒────  2 idle timeout",
    "                                           █  3 success",
    "█ attempt  • progress  ▒ grace  ─ pause",
  ]);
});

Deno.test("Timeline draws the idle timeout from the latest progress, as soon as an event tells it", async () => {
  const { clock, timeline, backoff } = fixture({ idleTimeout: 200, pause: 100 });
  await clock.run(backoff.execute(async (attempt) => {
    if (attempt.number === 1) await new Promise(() => {});
    await sleep(50, { clock });
    attempt.progress();
    await sleep(attempt.number === 2 ? 50 : 180, { clock });
    if (attempt.number === 2) throw new Down("busy");
  }));
  assertEquals(linesOf(timeline), [
    "    0          200        400        600 ms",
    "#1  ███████████─────                          1 idle timeout",
    "                    ███•██─────   ┆           2 Down: busy",
    "                               ███•█████████  3 success",
    "█ attempt  • progress  ─ pause  ┆ idle timeout",
  ]);
});

Deno.test("Timeline draws progress that the end of the execution tells", async () => {
  const timeline = await playReports({ idleTimeout: 200, deadline: 250 }, [100, 150]);
  const [, row] = linesOf(timeline);
  assertMatch(`${row}`, /^#1 {2}█+•█+•█+│ 1 deadline$/);
  const svg = timeline.toSVG();
  assertEquals(svg.split('class="ground-line"').length, 4); // two, and that of the legend
  assertMatch(svg, />progress<\/text>/);
  assert(!svg.includes(">idle timeout<"));
});

Deno.test("Timeline.toSVG() explains the idle timeout when an attempt has reached it", async () => {
  const svg = (await playReports({ idleTimeout: 200, maxTries: 1 }, [])).toSVG();
  assertMatch(svg, /stroke-dasharray="1 3" d="M[\d.]+ -10V10"\/>/);
  assertMatch(svg, />idle timeout<\/text>/);
  assert(!svg.includes(">progress<"));
});

Deno.test("Timeline.toString() colors an attempt with progress as one piece", async () => {
  const timeline = await playReports({ idleTimeout: 200, maxTries: 1 }, [100]);
  const colored = timeline.toString({ color: true });
  assertMatch(colored.replaceAll("\x1b", "ESC"), /ESC\[33m█+•█+ESC\[0m/);
});

Deno.test("Timeline draws concurrent executions on one axis", async () => {
  const { clock, timeline, execute } = fixture({ maxTries: 2, pause: 100 });
  const later = sleep(200, { clock }).then(() => execute(-100, 300));
  await clock.run(Promise.allSettled([execute(-100), later]));
  assertEquals(linesOf(timeline), [
    "    0        200      400      600 ms",
    "#1  █████────                         1 Down: busy",
    "             █████                    2 maxTries: Down: busy",
    "#2           █████────                1 Down: busy",
    "                      ██████████████  2 success",
    "█ attempt  ─ pause",
  ]);
});

Deno.test("Timeline draws running attempts and pauses up to the latest instant", async () => {
  const { clock, timeline, execute } = fixture({ pause: 500 });
  execute(1000);
  execute(-100);
  await clock.advance(200);
  execute(1000);
  await clock.advance(0);
  assertEquals(linesOf(timeline), [
    "    0          50        100        150       200 ms",
    "#1  ██████████████████████████████████████████  1 running",
    "#2  █████████████████████─────────────────────  1 Down: busy",
    "#3                                           █  1 running",
    "█ attempt  ─ pause",
  ]);
});

Deno.test("Timeline says why an execution ended when no attempt ended it", async () => {
  const { clock, timeline, backoff, execute } = fixture({ deadline: 400, pause: 100 });
  const { signal } = new AbortController();
  const controller = new AbortController();
  const calls = [
    backoff.execute(() => sleep(1000, { clock }), { signal }),
    backoff.execute(() => sleep(1000, { clock }), { signal: controller.signal }),
    backoff.execute(() => Promise.reject(new Down("no")), { signal: controller.signal }),
    backoff.execute(() => "never", { signal: AbortSignal.abort() }),
    execute(-100, -100, 100),
  ];
  sleep(150, { clock }).then(() => controller.abort());
  await clock.run(Promise.allSettled(calls));
  assertEquals(linesOf(timeline), [
    "    0       100     200     300     400 ms",
    "#1  ████████████████████████████████│ 1 deadline",
    "#2  ████████████                      1 aborted",
    "#3  █───────                        │ 1 Down: no",
    "            █───                    │ 2 aborted: Down: no",
    "#4                                    aborted",
    "#5  ████████────────                │ 1 Down: busy",
    "                    ████████────────│ 2 deadline: Down: busy",
    "█ attempt  ─ pause  │ deadline",
  ]);
});

/** Draws an attempt that begins at 0, is timed out by a limit of 100 ms, and ends at 102. */
function linesOfTimeout(limit: Limit): string[] {
  const timeline = new Timeline();
  const failure = {
    error: new TimeoutError(limit, 100),
    name: "load",
    attempt: 1,
    streak: 1,
    limit,
    duration: 102,
    elapsed: 102,
    remaining: 0,
    pauseBefore: 0,
  };
  const of = { execution: 1, name: "load", attempt: 1 };
  timeline.observe({ ...of, type: "attempt", at: 0 });
  timeline.observe({ ...of, type: "failure", at: 102, failure, pauseAfter: null });
  timeline.observe({
    ...of,
    type: "late",
    at: 200,
    outcome: { status: "rejected", reason: 1 },
  });
  return linesOf(timeline);
}

Deno.test("Timeline draws a failure by its limit, also when it is noticed late", () => {
  assertEquals(linesOfTimeout("attempt"), [
    "    0              100           200 ms",
    "#1  ███████████████┊             ○ 1 attempt timeout, late 1",
    "█ attempt  ┊ attempt timeout  ○ late end",
  ]);
  assertEquals(linesOfTimeout("deadline"), [
    "    0        50       100      150      200 ms",
    "#1  ██████████████████                  ○ 1 deadline, late 1",
    "█ attempt  ○ late end",
  ]);
});

for (const ms of [50, 5000]) {
  Deno.test(`Timeline draws a failure when another policy's timeout of ${ms} ms is thrown`, async () => {
    const { clock, timeline, backoff } = fixture({ maxTries: 1 });
    const nested = sleep(100, { clock }).then(() => {
      throw new TimeoutError("attempt", ms);
    });
    await clock.run(backoff.execute(() => nested).catch(() => {}));
    assertMatch(
      `${timeline}`,
      /#1 +█+ +1 maxTries: TimeoutError: An anonym…\n█ attempt$/,
    );
  });
}

Deno.test("Timeline describes an error that cannot be converted to a string", async () => {
  const { clock, timeline, backoff } = fixture({ maxTries: 1, exceptions: "all" });
  await clock.run(
    backoff.execute(() => Promise.reject(Object.create(null))).catch(() => {}),
  );
  assertMatch(`${timeline}`, /1 maxTries: an error that cannot/);
});

Deno.test("Timeline draws an execution that never called its function", () => {
  const timeline = new Timeline();
  const outcome = { status: "rejected", reason: "stop" } as const;
  timeline.observe({
    type: "done",
    execution: 1,
    name: "load",
    at: 5,
    attempts: 0,
    elapsed: 0,
    outcome,
    reason: "aborted",
  });
  assertEquals(linesOf(timeline), [
    "    0                                              1 ms",
    "#1                                                   aborted",
  ]);
});

Deno.test("Timeline.observe() is usable detached, by any number of policies", () => {
  const timeline = new Timeline();
  const { observe } = timeline;
  new Backoff({ observe }).execute(() => {});
  new Backoff({ observe }).execute(() => {});
  assertEquals(timeline.toString().match(/1 running/g)?.length, 2);
});

/** Emits the events of an execution whose attempts take a millisecond each, and fail. */
function emitFailures(
  timeline: Timeline,
  execution: number,
  from: number,
  attempts: number,
): void {
  const name = "load";
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const at = from + attempt - 1;
    timeline.observe({ type: "attempt", execution, name, at, attempt });
    const failure = {
      error: new Down("busy"),
      name,
      attempt,
      streak: attempt,
      limit: null,
      duration: 1,
      elapsed: attempt,
      remaining: Infinity,
      pauseBefore: 0,
    };
    timeline.observe({
      type: "failure",
      execution,
      name,
      at: at + 1,
      attempt,
      failure,
      pauseAfter: 0,
    });
  }
}

Deno.test("Timeline keeps the newest executions, and shows the number of those before", () => {
  const timeline = new Timeline({ maxExecutions: 2 });
  for (const execution of [1, 2, 3, 4, 5]) {
    emitFailures(timeline, execution, execution * 10, 1);
  }
  // A later event of an execution that was removed does not begin a new one.
  const head = { execution: 1, name: "load" };
  timeline.observe({ ...head, type: "attempt", at: 70, attempt: 2 });
  assertEquals(linesOf(timeline), [
    "executions before these: 3",
    "    0                  5                  10 ms",
    "#4  ████                                        1 Down: busy",
    "#5                                        ████  1 Down: busy",
    "█ attempt",
  ]);
});

Deno.test("Timeline keeps 100 executions by default", () => {
  const timeline = new Timeline();
  for (let execution = 1; execution <= 101; execution++) {
    emitFailures(timeline, execution, 0, 1);
  }
  assertEquals(linesOf(timeline)[0], "executions before these: 1");
});

Deno.test("Timeline keeps the newest 100 attempts of an execution", () => {
  const timeline = new Timeline();
  emitFailures(timeline, 1, 0, 105);
  const lines = linesOf(timeline);
  assertEquals(lines.length, 103); // with the ticks, the number of attempts before, and the legend
  assertMatch(lines[1] ?? "", /^#1 +attempts before: 5$/);
  assertMatch(lines[2] ?? "", / 6 Down: busy$/);
  // The late end of an attempt that was removed is not drawn.
  const outcome = { status: "fulfilled", value: 1 } as const;
  const head = { execution: 1, name: "load" };
  timeline.observe({ ...head, type: "late", at: 90, attempt: 2, outcome });
  assertEquals(linesOf(timeline), lines);
});

Deno.test("Timeline draws every execution that it keeps when there are very many", () => {
  const timeline = new Timeline({ maxExecutions: 130_000 });
  for (let execution = 1; execution <= 130_000; execution++) {
    emitFailures(timeline, execution, 0, 1);
  }
  assertEquals(linesOf(timeline).length, 130_002);
  assertEquals(timeline.toSVG().match(/<rect class="failure"/g)?.length, 130_000);
});

Deno.test("Timeline.clear() removes all executions, and later ones are drawn", () => {
  const timeline = new Timeline({ maxExecutions: 1 });
  emitFailures(timeline, 1, 0, 1);
  emitFailures(timeline, 2, 0, 1);
  timeline.clear();
  assertEquals(`${timeline}`, "no executions");
  emitFailures(timeline, 3, 500, 1);
  assertEquals(linesOf(timeline), [
    "    0                                         1 ms",
    "#3  ██████████████████████████████████████████  1 Down: busy",
    "█ attempt",
  ]);
});

Deno.test("Timeline.toString() has 80 columns and no color by default", () => {
  const timeline = new Timeline();
  emitFailures(timeline, 1, 0, 1);
  assertEquals(timeline.toString(), timeline.toString({ columns: 80, color: false }));
  assertEquals(timeline.toString(null), timeline.toString({ columns: null, color: null }));
  assertEquals(timeline.toString().split("\n")[1]?.length, 80);
});

Deno.test("Timeline.toString() colors attempts by how they ended when `color` is true", () => {
  const timeline = new Timeline();
  emitFailures(timeline, 1, 0, 1);
  const [, plain = ""] = timeline.toString({ columns: 40 }).split("\n");
  const [, painted = ""] = timeline.toString({ columns: 40, color: true }).split("\n");
  // deno-lint-ignore no-control-regex
  assertMatch(painted, /\x1b\[31m█+\x1b\[0m/);
  // deno-lint-ignore no-control-regex
  assertEquals(painted.replaceAll(/\x1b\[\d+m/g, ""), plain);
});

/** The ANSI code of an attempt that is running when its execution ends, by the reason. */
const CODES: Record<Reason, number> = {
  success: 32,
  nonRetryable: 31,
  exhausted: 31,
  maxTries: 31,
  giveup: 31,
  budget: 31,
  deadline: 35,
  aborted: 35,
  callbackError: 35,
};

Deno.test("Timeline.toString() colors a running attempt by why its execution ended", () => {
  for (const [reason, code] of Object.entries(CODES) as [Reason, number][]) {
    const timeline = new Timeline();
    const head = { execution: 1, name: "load" };
    timeline.observe({ ...head, type: "attempt", at: 0, attempt: 1 });
    const outcome = { status: "fulfilled", value: 1 } as const;
    const done = { ...head, type: "done", at: 9, attempts: 1, elapsed: 9 } as const;
    timeline.observe({ ...done, outcome, reason });
    const [, line = ""] = timeline.toString({ color: true }).split("\n");
    assert(line.includes(`\x1b[${code}m█`) && line.endsWith(`1 ${reason}`), line);
  }
});

Deno.test("Timeline() and Timeline.toString() throw when an option is wrong", () => {
  const timeline = new Timeline();
  const make = (options: object) => () => new Timeline(options);
  const draw = (options: object) => () => timeline.toString(options);
  const wrong: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      make({ maxExecutions: 0 }),
      RangeError,
      "Cannot make a timeline: option 'maxExecutions' must be an integer >= 1, got 0",
    ],
    [
      make({ maxExecutions: 1.5 }),
      RangeError,
      "Cannot make a timeline: option 'maxExecutions' must be an integer >= 1, got 1.5",
    ],
    [
      make({ maxExecutions: "3" }),
      TypeError,
      "Cannot make a timeline: option 'maxExecutions' must be an integer >= 1, got \"3\"",
    ],
    [
      make({ most: 3 }),
      TypeError,
      "Cannot make a timeline: unknown option 'most', the options are maxExecutions",
    ],
    [
      make({ max_executions: 3 }),
      TypeError,
      "Cannot make a timeline: unknown option 'max_executions', did you mean 'maxExecutions'?",
    ],
    [
      make([3]),
      TypeError,
      "Cannot make a timeline: the options must be an object, got an array of 1",
    ],
    [
      draw({ columns: 39 }),
      RangeError,
      "Cannot draw a timeline: option 'columns' must be an integer >= 40, got 39",
    ],
    [
      draw({ color: 1 }),
      TypeError,
      "Cannot draw a timeline: option 'color' must be true or false, got 1",
    ],
    [
      draw({ colour: true }),
      TypeError,
      "Cannot draw a timeline: unknown option 'colour', the options are columns, color",
    ],
  ];
  for (const [call, ErrorClass, message] of wrong) {
    const error = assertThrows(call, ErrorClass);
    assertEquals(error.message, message);
  }
});

/** Arbitrary text. A function, because making an arbitrary is slow. */
const anything = () =>
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\x1b[31mred\x1b[0m",
      "日本語のエラー",
      "a\u202eb",
      "<&>]]>",
      "👩‍👩‍👧",
      "\ud800",
    ),
  );
/** Random events, also ones that no execution would emit. */
const events = (): fc.Arbitrary<BackoffEvent[]> =>
  fc.array(
    fc.record({
      type: fc.constantFrom("attempt", "failure", "late", "done"),
      execution: fc.constantFrom(1, 2, 3, 2 ** 53 - 1),
      at: fc.oneof(fc.nat(3000), fc.double({ min: 0, max: 1e15, noNaN: true })),
      attempt: fc.integer({ min: 1, max: 3 }),
      attempts: fc.nat(3),
      elapsed: fc.nat(3000),
      reason: fc.constantFrom("success", "deadline", "aborted"),
      pauseAfter: fc.option(fc.nat(1e6)),
      outcome: anything().map((reason) => ({ status: "rejected", reason })),
      failure: fc.record({
        end: fc.oneof(
          anything().map((message) => ({ error: new Error(message), limit: null })),
          fc.record({
            limit: fc.constantFrom<Limit>("attempt", "deadline"),
            ms: fc.nat(500),
          })
            .map(({ limit, ms }) => ({ error: new TimeoutError(limit, ms), limit })),
        ),
        remaining: fc.constantFrom(0, 100, Infinity),
      }).map(({ end, remaining }) => ({ ...end, remaining })),
    }).map((event) => event as unknown as BackoffEvent),
    { maxLength: 40 },
  );

function timelineOf(emitted: readonly BackoffEvent[]): Timeline {
  const timeline = new Timeline({ maxExecutions: 3 });
  emitted.forEach(timeline.observe);
  return timeline;
}

/** The largest number of columns that a terminal may draw a line at. */
const widthOf = (line: string) =>
  [...line].reduce(
    (sum, each) => sum + (/[\u2500-\u25ff…]/.test(each) || each < "\u1100" ? 1 : 2),
    0,
  );

Deno.test("Timeline.toString() keeps to its columns and has no control characters, whatever happened", () => {
  fc.assert(
    fc.property(events(), fc.integer({ min: 40, max: 200 }), (emitted, columns) => {
      const text = timelineOf(emitted).toString({ columns });
      for (const line of text.split("\n")) {
        assert(widthOf(line) <= columns, line);
        assertEquals(line.match(/[\p{C}\p{Zl}\p{Zp}]/u), null);
      }
    }),
  );
});

Deno.test("Timeline.toSVG() is a well-formed document, whatever happened", () => {
  fc.assert(fc.property(events(), (emitted) => {
    const svg = timelineOf(emitted).toSVG();
    assertEquals(elementsIn(svg)[0]?.name, "svg");
    assertPlainColors(svg);
  }));
});

Deno.test("Timeline.toSVG() draws the same as the text, to scale, for light and dark backgrounds", async () => {
  const { clock, timeline, execute } = fixture({
    attemptTimeout: 200,
    grace: 100,
    pause: 100,
  });
  await clock.run(execute(-100, 1000, 200));
  await clock.advance(1000);
  const svg = timeline.toSVG();
  // The axis has 520 units for 1,200 ms, up to the late end.
  assertMatch(svg, /<rect class="failure" [^>]* x="0" [^>]* width="43.3"/);
  assertMatch(svg, /<rect class="timeout" [^>]* x="86.7" [^>]* width="86.6"/);
  assertMatch(
    svg,
    /<rect class="timeout" [^>]* opacity="0.45" x="173.3" [^>]* width="43.4"/,
  );
  assertMatch(svg, /<path class="ink-line" [^>]* d="M216.7 0H260"\/>/);
  assertMatch(svg, /<circle class="ink-line" [^>]* cx="520"/);
  assertMatch(svg, /prefers-color-scheme: dark/);
  assertMatch(svg, />2 attempt timeout, late value</);
});

Deno.test("Timeline.toSVG() draws an axis without executions, too", () => {
  const svg = new Timeline().toSVG();
  assertPlainColors(svg);
  assertEquals(textsIn(svg).slice(0, 3), ["time since the beginning, in ms", "0", "1 ms"]);
});

Deno.test("Timeline.toSVG() titles its axis with the unit of its ticks", () => {
  const timeline = new Timeline();
  emitFailures(timeline, 1, 0, 20_000);
  assertEquals(textsIn(timeline.toSVG()).slice(0, 3), [
    "time since the beginning, in s",
    "0",
    "5",
  ]);
});

Deno.test("Timeline.toSVG() shows the number of executions before those it draws", () => {
  const timeline = new Timeline({ maxExecutions: 1 });
  emitFailures(timeline, 1, 0, 1);
  emitFailures(timeline, 2, 0, 1);
  assertMatch(timeline.toSVG(), /<title>Executions: 1, before them: 1<\/title>/);
});

/** Executes in an outer attempt that ends at 300, on the clock of a fixture. */
function nestedFixture(outer: BackoffOptions, inner: BackoffOptions) {
  const { clock, timeline, backoff, execute } = fixture({ ...outer, pause: 100 });
  const nested = backoff.with({ attemptTimeout: null, deadline: null, ...inner });
  return { clock, timeline, backoff, nested, execute };
}

Deno.test("Timeline draws a nested execution under the row of its attempt, indented", async () => {
  const { clock, timeline, backoff, nested } = nestedFixture({
    attemptTimeout: 300,
    maxTries: 2,
  }, { maxTries: 3 });
  const down = () => sleep(50, { clock }).then(() => Promise.reject(new Down("busy")));
  const results = [
    backoff.execute(async (outer) => {
      await sleep(20, { clock });
      await nested.execute(async (inner) => {
        if (inner.number === 2) await backoff.execute(down, { within: inner });
        await down();
      }, { within: outer });
    }),
    backoff.execute(() => "other"),
  ];
  await clock.run(Promise.allSettled(results));
  assertEquals(linesOf(timeline), [
    "        0               500 ms",
    "#1      ██████████───            1 attempt timeout",
    "  #3     █────                   1 Down: busy",
    "              ████               2 aborted",
    "    #4        █───               1 aborted: Down: busy",
    "                     ██████████┊ 2 maxTries: attempt timeout",
    "  #5                  █────      1 Down: busy",
    "                           ████  2 aborted",
    "    #6                     █───  1 aborted: Down: busy",
    "#2      █                        1 success",
    "█ attempt  ─ pause  ┊ attempt timeout",
  ]);
});

Deno.test("Timeline draws a nested execution on its own when its outer one is not drawn", async () => {
  const { clock, backoff } = fixture({});
  const timeline = new Timeline({ maxExecutions: 1 });
  const { observe } = timeline;
  await clock.run(
    backoff.execute((outer) => backoff.execute(() => 1, { within: outer, observe })),
  );
  assertMatch(`${timeline}`, /^ +0[^\n]*\n#\d+ +█+ +1 success\n/);
});

Deno.test("Timeline draws what is nested in an attempt that is no longer kept under the first row", async () => {
  const { clock, timeline, backoff } = fixture({});
  await clock.run(
    backoff.execute(async (outer) => {
      const { number } = outer;
      if (number <= 110) {
        if (number === 1 || number === 50) {
          await backoff.execute(() => {}, { within: outer, name: `in ${number}` });
        }
        throw new Down("busy");
      }
    }),
  );
  const lines = linesOf(timeline);
  assertMatch(lines[1] ?? "", /^#1 .* attempts before: 11$/);
  assertMatch(lines[2] ?? "", /^ {2}#2 /);
  const row = lines.findIndex((line) => line.startsWith("  #3"));
  assertMatch(lines[row - 1] ?? "", / 50 Down: busy$/);
  assertEquals(lines.filter((line) => /#/.test(line)).length, 3);
});

Deno.test("Timeline draws the deadline of a nested execution when it has been reached, and no other one", async () => {
  const rows: [inner: BackoffOptions, hasDeadline: boolean, words: string][] = [
    // What remains is bounded by the end of the outer attempt at 300.
    [{ deadline: 1000, pause: 10, maxTries: 2 }, false, "maxTries: Down: busy"],
    [{ deadline: 1000, minRemaining: 200 }, false, "deadline: Down: busy"],
    [{ deadline: 120, minRemaining: 50 }, false, "deadline: Down: busy"],
    [{ deadline: 250, pause: 1000 }, true, "deadline: Down: busy"],
    [{ deadline: 40 }, true, "deadline"],
    [{ deadline: 1000, pause: 1000 }, false, "aborted: Down: busy"],
    [{ deadline: 0 }, true, "deadline"],
  ];
  for (const [inner, hasDeadline, words] of rows) {
    const { clock, timeline, backoff, nested } = nestedFixture(
      { attemptTimeout: 300 },
      inner,
    );
    const down = () => sleep(100, { clock }).then(() => Promise.reject(new Down("busy")));
    const result = backoff.execute(async (outer) => {
      if (outer.number === 1) await nested.execute(down, { within: outer });
    });
    await clock.run(Promise.allSettled([result, sleep(1500, { clock })]));
    const [, ...lines] = linesOf(timeline);
    const at = lines.findIndex((line) => line.startsWith("  #2"));
    const own = lines.slice(at, lines.length - 2)
      .filter((line) => !/ \d attempt timeout| 2 success/.test(line));
    assertEquals(own.some((line) => line.includes("│")), hasDeadline, own.join("\n"));
    assert(own.some((line) => line.includes(` ${words}`)), own.join("\n"));
  }
});

Deno.test("Timeline indents no further than its columns allow, and draws any depth", () => {
  const timeline = new Timeline({ maxExecutions: 20_000 });
  const head = { name: "", type: "attempt", attempt: 1 } as const;
  for (let execution = 1; execution <= 20_000; execution++) {
    const outer = { execution: execution - 1, attempt: 1 };
    timeline.observe({ ...head, execution, at: execution, outer });
  }
  for (const [columns, indent] of [[40, 4], [80, 8], [200, 20]] as const) {
    const lines = timeline.toString({ columns }).split("\n").slice(1, -1);
    assertEquals(lines.length, 20_000);
    assertEquals(lines.at(-1)?.indexOf("#"), indent);
    assert(lines.every((line) => line.length <= columns));
  }
  const svg = timeline.toSVG();
  const at = [...svg.matchAll(/x="(-?[\d.]+)" y="4" text-anchor="end"/g)].map(([, x]) =>
    Number(x)
  );
  assertEquals([at.length, at[0], at[1], at.at(-1)], [20_000, -124, -110, -12]);
  assertMatch(svg, /viewBox="0 0 972 /);
});

Deno.test("Timeline ignores an outer execution that has begun later, which no execution has", () => {
  const timeline = new Timeline();
  for (const [execution, other] of [[1, 2], [2, 1], [3, 3]] as const) {
    const outer = { execution: other, attempt: 7 };
    timeline.observe({ name: "", type: "attempt", attempt: 1, execution, at: 0, outer });
  }
  const heads = linesOf(timeline).map((line) => /^ *#\d/.exec(line)?.[0]);
  assertEquals(heads.filter((head) => head !== undefined), ["#1", "  #2", "#3"]);
});
