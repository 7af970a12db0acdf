// What a timeline keeps, and how it is drawn: as text, exactly, and as SVG.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  linear,
  sleep,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import fc from "fast-check";

class Down extends Error {
  override name = "Down";
}

/** A clock, a timeline, and executions of one policy, which are numbered from 1 on. */
function scene(options: BackoffOptions) {
  const clock = new TestClock();
  const timeline = new Timeline();
  let before: number | null = null;
  const observe = (event: BackoffEvent) => {
    before ??= event.execution - 1;
    timeline.observe({ ...event, execution: event.execution - before });
  };
  const backoff = new Backoff({ exceptions: [Down], ...options, clock, observe });
  /** Each attempt takes so long; negative: and fails then. The last one is for the rest. */
  const execute = (...script: number[]) =>
    backoff.execute(async ({ number }) => {
      const ms = script[Math.min(number, script.length) - 1] ?? 0;
      await sleep(Math.abs(ms), { clock });
      if (ms < 0) throw new Down("busy");
      return "value";
    });
  return { clock, timeline, backoff, execute };
}

/** What is drawn in 60 columns, line by line. */
const linesOf = (timeline: Timeline) => timeline.toString({ columns: 60 }).split("\n");

Deno.test("Timeline draws attempts and pauses to scale, with how each ended", async () => {
  const pause = linear({ initial: 100, step: 100, jitter: "none" });
  const { clock, timeline, execute } = scene({ pause });
  await clock.run(execute(-100, -100, 100));
  assertEquals(linesOf(timeline), [
    "    0             200           400           600 ms",
    "#1  ███████───────                              1 Down: busy",
    "                  ███████──────────────         2 Down: busy",
    "                                       ███████  3 success",
    "█ attempt  ─ pause",
  ]);
});

Deno.test("Timeline draws limits from when they are known, and late ends", async () => {
  const { clock, timeline, execute } = scene({
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

Deno.test("Timeline draws the deadline where a pause would have been longer", async () => {
  const { clock, timeline, execute } = scene({ deadline: 500, pause: 1000 });
  await clock.run(execute(-100).catch(() => {}));
  assertEquals(linesOf(timeline), [
    "    0            200          400 ms",
    "#1  ██████──────────────────────────│ 1 deadline: Down: busy",
    "█ attempt  ─ pause  │ deadline",
  ]);
});

Deno.test("Timeline draws a grace behind the attempt timeout", async () => {
  const { clock, timeline, execute } = scene({
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

Deno.test("Timeline draws executions at once on one axis", async () => {
  const { clock, timeline, execute } = scene({ maxTries: 2, pause: 100 });
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

Deno.test("Timeline draws what is under way up to the latest instant", async () => {
  const { clock, timeline, execute } = scene({ pause: 500 });
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

Deno.test("Timeline tells what ended an execution that no attempt did", async () => {
  const { clock, timeline, backoff, execute } = scene({ deadline: 400, pause: 100 });
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

Deno.test("Timeline takes another policy's timeout for a failure like another", async () => {
  const { clock, timeline, backoff } = scene({ maxTries: 1 });
  await clock.run(
    backoff.execute(() => Promise.reject(new TimeoutError("attempt", 5000)))
      .catch(() => {}),
  );
  assertMatch(
    `${timeline}`,
    /#1 +█+ +1 maxTries: TimeoutError: An anonym…\n█ attempt$/,
  );
});

Deno.test("Timeline tells an error that cannot be shown", async () => {
  const { clock, timeline, backoff } = scene({ maxTries: 1, exceptions: "all" });
  await clock.run(
    backoff.execute(() => Promise.reject(Object.create(null))).catch(() => {}),
  );
  assertMatch(`${timeline}`, /1 maxTries: an error that cannot/);
});

Deno.test("Timeline draws one execution that never called its function", () => {
  const timeline = new Timeline();
  const outcome = { status: "rejected", reason: "stop" } as const;
  timeline.observe({
    type: "done",
    execution: 1,
    at: 5,
    tries: 0,
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

/** Tells of an execution whose attempts fail at once, `from` on, a millisecond each. */
function tell(timeline: Timeline, execution: number, from: number, tries: number): void {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const at = from + attempt - 1;
    timeline.observe({ type: "attempt", execution, at, attempt });
    const failure = {
      error: new Down("busy"),
      tries: attempt,
      elapsed: attempt,
      remaining: Infinity,
      pause: 0,
    };
    timeline.observe({
      type: "failure",
      execution,
      at: at + 1,
      attempt,
      failure,
      pause: 0,
    });
  }
}

Deno.test("Timeline keeps the newest executions, and tells how many there were before", () => {
  const timeline = new Timeline({ most: 2 });
  for (const execution of [1, 2, 3, 4, 5]) tell(timeline, execution, execution * 10, 1);
  // What is still told of one that was dropped begins no new one.
  timeline.observe({ type: "attempt", execution: 1, at: 70, attempt: 2 });
  assertEquals(linesOf(timeline), [
    "executions before these: 3",
    "    0                  5                  10 ms",
    "#4  ████                                        1 Down: busy",
    "#5                                        ████  1 Down: busy",
    "█ attempt",
  ]);
});

Deno.test("Timeline keeps a hundred executions when nothing is said", () => {
  const timeline = new Timeline();
  for (let execution = 1; execution <= 101; execution++) tell(timeline, execution, 0, 1);
  assertEquals(linesOf(timeline)[0], "executions before these: 1");
});

Deno.test("Timeline keeps the newest hundred attempts of an execution", () => {
  const timeline = new Timeline();
  tell(timeline, 1, 0, 105);
  const lines = linesOf(timeline);
  assertEquals(lines.length, 103); // and the ticks, and the legend
  assertMatch(lines[1] ?? "", /^#1 +attempts before: 5$/);
  assertMatch(lines[2] ?? "", / 6 Down: busy$/);
  // The late end of one that was dropped has nowhere to be.
  const outcome = { status: "fulfilled", value: 1 } as const;
  timeline.observe({ type: "late", execution: 1, at: 90, attempt: 2, outcome });
  assertEquals(linesOf(timeline), lines);
});

Deno.test("Timeline draws as many executions as it was told to keep", () => {
  const timeline = new Timeline({ most: 130_000 });
  for (let execution = 1; execution <= 130_000; execution++) {
    tell(timeline, execution, 0, 1);
  }
  assertEquals(linesOf(timeline).length, 130_002);
  assertEquals(timeline.toSVG().match(/<rect class="failure"/g)?.length, 130_000);
});

Deno.test("Timeline.clear() forgets all, and draws what comes then", () => {
  const timeline = new Timeline({ most: 1 });
  tell(timeline, 1, 0, 1);
  tell(timeline, 2, 0, 1);
  timeline.clear();
  assertEquals(`${timeline}`, "no executions");
  tell(timeline, 3, 500, 1);
  assertEquals(linesOf(timeline), [
    "    0                                         1 ms",
    "#3  ██████████████████████████████████████████  1 Down: busy",
    "█ attempt",
  ]);
});

Deno.test("Timeline.toString() has 80 columns and no color when nothing is said", () => {
  const timeline = new Timeline();
  tell(timeline, 1, 0, 1);
  assertEquals(timeline.toString(), timeline.toString({ columns: 80, color: false }));
  assertEquals(timeline.toString(null), timeline.toString({ columns: null, color: null }));
  assertEquals(timeline.toString().split("\n")[1]?.length, 80);
});

Deno.test("Timeline.toString() colors attempts by how they ended when it is asked to", () => {
  const timeline = new Timeline();
  tell(timeline, 1, 0, 1);
  const [, plain = ""] = timeline.toString({ columns: 40 }).split("\n");
  const [, painted = ""] = timeline.toString({ columns: 40, color: true }).split("\n");
  // deno-lint-ignore no-control-regex
  assertMatch(painted, /\x1b\[31m█+\x1b\[0m/);
  // deno-lint-ignore no-control-regex
  assertEquals(painted.replaceAll(/\x1b\[\d+m/g, ""), plain);
});

Deno.test("Timeline throws when an option is wrong", () => {
  const timeline = new Timeline();
  const wrong: [() => unknown, string][] = [
    [() => new Timeline({ most: 0 }), "'most' must be an integer >= 1: current value is 0"],
    [() => new Timeline({ most: 1.5 }), "'most' must be an integer >= 1"],
    [() => new Timeline({ limit: 3 } as object), "did you mean 'most'?"],
    [() => timeline.toString({ columns: 39 }), "'columns' must be an integer >= 40"],
    [() => timeline.toString({ color: true } as object), "did you mean 'color'?"],
    [
      () => timeline.toString({ color: 1 } as object),
      "'color' must be true or false: current value is 1",
    ],
  ];
  for (const [make, message] of wrong) assertThrows(make, Error, message);
});

/** Not made before it is needed, as it takes its time. */
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
/** Events by chance, which no execution need have told. */
const events = (): fc.Arbitrary<BackoffEvent[]> =>
  fc.array(
    fc.record({
      type: fc.constantFrom("attempt", "failure", "late", "done"),
      execution: fc.constantFrom(1, 2, 3, 2 ** 53 - 1),
      at: fc.oneof(fc.nat(3000), fc.double({ min: 0, max: 1e15, noNaN: true })),
      attempt: fc.integer({ min: 1, max: 3 }),
      tries: fc.nat(3),
      elapsed: fc.nat(3000),
      reason: fc.constantFrom("success", "deadline", "aborted"),
      pause: fc.option(fc.nat(1e6)),
      outcome: anything().map((reason) => ({ status: "rejected", reason })),
      failure: fc.record({
        error: fc.oneof(
          anything().map((message) => new Error(message)),
          fc.nat(500).map((ms) => new TimeoutError("attempt", ms)),
        ),
        remaining: fc.constantFrom(0, 100, Infinity),
      }),
    }).map((event) => event as unknown as BackoffEvent),
    { maxLength: 40 },
  );

function timelineOf(told: readonly BackoffEvent[]): Timeline {
  const timeline = new Timeline({ most: 3 });
  told.forEach(timeline.observe);
  return timeline;
}

/** As wide as a terminal may draw it. */
const widthOf = (line: string) =>
  [...line].reduce(
    (sum, each) => sum + (/[\u2500-\u25ff…]/.test(each) || each < "\u1100" ? 1 : 2),
    0,
  );

Deno.test("Timeline.toString() draws no line wider than asked, and steers no terminal", () => {
  fc.assert(
    fc.property(events(), fc.integer({ min: 40, max: 200 }), (told, columns) => {
      const text = timelineOf(told).toString({ columns });
      for (const line of text.split("\n")) {
        assert(widthOf(line) <= columns, line);
        assertEquals(line.match(/[\p{C}\p{Zl}\p{Zp}]/u), null);
      }
    }),
  );
});

/** The elements of a document, in their order; throws where it is not well-formed. */
function elementsOf(svg: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const rest = svg.replaceAll(
    /<(\/?)(\w+)((?: [\w:-]+="[^"<&]*")*)(\/?)>/g,
    (_, closing, name, _attributes, empty) => {
      if (closing === "/") assertEquals(open.pop(), name);
      else names.push(name);
      if (closing === "" && empty === "") open.push(name);
      return "";
    },
  );
  assertEquals(open, []);
  assert(!/<|&(?!amp;|lt;)/.test(rest), rest);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b-\x1f\ufffe\uffff]|\p{Cs}/u.test(rest), rest);
  return names;
}

Deno.test("Timeline.toSVG() is a well-formed document, whatever happened", () => {
  fc.assert(fc.property(events(), (told) => {
    assertEquals(elementsOf(timelineOf(told).toSVG())[0], "svg");
  }));
});

Deno.test("Timeline.toSVG() draws what the text does, to scale, for light and dark", async () => {
  const { clock, timeline, execute } = scene({
    attemptTimeout: 200,
    grace: 100,
    pause: 100,
  });
  await clock.run(execute(-100, 1000, 200));
  await clock.advance(1000);
  const svg = timeline.toSVG();
  // 520 units for 1,200 ms: until the late end.
  assertMatch(svg, /<rect class="failure" x="0" [^>]* width="43.3"/);
  assertMatch(svg, /<rect class="timeout" x="86.7" [^>]* width="86.6"/);
  assertMatch(svg, /<rect class="timeout grace" x="173.3" [^>]* width="43.4"/);
  assertMatch(svg, /<path class="pause" d="M216.7 0H260"\/>/);
  assertMatch(svg, /<circle class="late" cx="520"/);
  assertMatch(svg, /prefers-color-scheme: dark/);
  assertMatch(svg, />2 attempt timeout, late value</);
});

Deno.test("Timeline.toSVG() tells how many executions there were before", () => {
  const timeline = new Timeline({ most: 1 });
  assertEquals(elementsOf(timeline.toSVG()).includes("rect"), true);
  tell(timeline, 1, 0, 1);
  tell(timeline, 2, 0, 1);
  assertMatch(timeline.toSVG(), /<title>Executions: 1, before them: 1<\/title>/);
});
