// Worlds, traces and words: what the page shows is what the library does.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { drawDurations, drawLoad } from "../../playground/charts.ts";
import { CodeError } from "../../playground/notation/tokens.ts";
import { checkPolicy, readPolicy } from "../../playground/policy.ts";
import { PRESETS } from "../../playground/presets.ts";
import { traced } from "../../playground/trace.ts";
import {
  duration,
  longestWait,
  outageLoad,
  percent,
  warningsOf,
} from "../../playground/warnings.ts";
import { checkedWorld, readWorld } from "../../playground/world.ts";

const policyOf = (text: string) => checkPolicy(readPolicy(text));

for (const [key, preset] of Object.entries(PRESETS)) {
  Deno.test(`traced() follows an execution to the state that its result says, in the world '${key}'`, async () => {
    const policy = policyOf(preset.policy);
    const world = checkedWorld(readWorld(preset.world), policy.errorClass);
    const { simulation, trace } = await traced(policy, world, preset.execution);
    const execution = simulation.executions[preset.execution - 1];
    const last = trace?.steps.at(-1);
    assert(execution !== undefined && trace !== null && last !== undefined);
    assertEquals([trace.beganAt, trace.isCut], [execution.beganAt, false]);
    assert(last.state.phase === "done");
    assertEquals(last.state.reason, execution.reason);
    assertEquals([last.state.attempts, last.at], [execution.attempts, execution.elapsed]);
    assert(trace.steps.length > 4, `${trace.steps.length} steps`);
    assertStringIncludes(trace.svg, `#${preset.execution}`);
    // To follow it changes nothing.
    const other = await traced(policy, world, 1e6);
    assertEquals(other.trace, null);
    assertEquals(other.simulation.ends, simulation.ends);
    assertEquals(other.simulation.attempts, simulation.attempts);
  });
}

Deno.test("traced() says what happens in each step", async () => {
  const policy = policyOf(PRESETS.ties.policy);
  const world = checkedWorld(readWorld(PRESETS.ties.world), policy.errorClass);
  const { trace } = await traced(policy, world, 1);
  assertEquals(trace?.steps.map(({ at, words }) => `${at}: ${words}`), [
    "0: Attempt 1 begins.",
    "300: Attempt 1 is ended by its attempt timeout. A pause of 50 ms begins.",
    "350: Attempt 2 begins.",
    "649: Attempt 2 fails: TypeError: in time, but it fails. A pause of 50 ms begins.",
    "699: Attempt 3 begins.",
    "999: Attempt 3 is ended by its attempt timeout. A pause of 300 ms begins.",
    "999: Attempt 3, which was abandoned, returns a value late. Nothing changes.",
    "1000: The execution ends at its deadline.",
  ]);
});

Deno.test("traced() leaves an execution that does not end", async () => {
  const world = checkedWorld(readWorld("{ script: [{ latency: Infinity }] }"), TypeError);
  const { trace } = await traced(policyOf("{}"), world, 1);
  assertEquals([trace?.isCut, trace?.steps.length], [true, 1]);
});

const mistakes: [text: string, line: number, message: string][] = [
  ["[]", 1, "A world must be an object"],
  ["{\n  executions: 0 }", 2, "option 'executions' must be an integer >= 1"],
  ["{\n  clients: 1,\n  executions: 1e6 }", 3, "at most 20000 executions, got 1000000"],
  ["{\n  clients: 1e6 }", 2, "at most 20000 executions, got 1000000"],
  ["{\n  rate: 100 }", 2, "at most 20000 executions, got up to 360000"],
  ["{\n  rate: (at) => 1, maxRate: 1e9, end: 1000 }", 2, "got up to 1000000000"],
  ["{\n  end: 1e9 }", 2, "at most two hours"],
  ["{ maxAttempts: 1e6 }", 1, "at most 30000 attempts"],
  ["{\n  script: [],\n}", 2, "option 'script' must be a list"],
  ["{ seed: 1,\n  script: [{ delay: 1 }] }", 2, "answer 1 of 'script'"],
  ["{ seed: 1,\n  outages: [{ from: 2, to: 1 }] }", 2, "outage 1: 'to' must be"],
  ["{ seed: 1,\n  calls: 5 }", 2, "unknown option 'calls'"],
];

Deno.test("checkedWorld() puts mistakes at their line", () => {
  for (const [text, line, message] of mistakes) {
    const error = assertThrows(() => checkedWorld(readWorld(text), TypeError), CodeError);
    assert(error.message.includes(message), error.message);
    assertEquals(error.line, line, error.message);
  }
});

const waits: [policy: string, ms: number | null][] = [
  ["{ deadline: 31_000 }", 31_000],
  ["{ attemptTimeout: 100, maxTries: 3, grace: 50, pause: [10, 20], exceptions: [] }", 480],
  ["{ attemptTimeout: 100 }", Infinity],
  ["{ maxTries: 3, exceptions: [] }", Infinity],
  [
    "{ attemptTimeout: 1, maxTries: 2, exceptions: [], pause: ({ error }) => error.retryAfter }",
    null,
  ],
];

Deno.test("longestWait() is the longest that a caller may wait", () => {
  for (const [text, ms] of waits) assertEquals(longestWait(policyOf(text).rules), ms, text);
});

Deno.test("outageLoad() is the number of calls for each execution", async () => {
  const all = 'exceptions: "all"';
  assertEquals(await outageLoad(policyOf(`{ maxTries: 12, ${all} }`)), 12);
  assertEquals(await outageLoad(policyOf(`{ ${all} }`)), Infinity);
  assertEquals(await outageLoad(policyOf("{}")), 1);
  const budget = "budget: new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 })";
  assertEquals(await outageLoad(policyOf(`{ maxTries: 12, ${all}, ${budget} }`)), 1.2);
});

const sentences: [policy: string, sentence: string][] = [
  ["{ deadline: 31_000 }", "A caller may wait 31 s."],
  ["{}", "A caller may wait for ever. A call that hangs is never given up."],
  ['{ attemptTimeout: 5, exceptions: "all" }', "Nothing bounds the retries."],
  ['{ maxTries: 12, exceptions: "all" }', "In an outage, this makes 12 times the load."],
  ['{ exceptions: "all" }', "In an outage, the calls do not end."],
  ["{ deadline: 5 }", "In an outage, this adds no load."],
  ['{ maxTries: 2, exceptions: "all" }', "In an outage, this makes 2 times the load."],
  ["{ deadline: 0 }", "nothing is called"],
  ["{ attemptTimeout: 0, deadline: 5 }", "every attempt fails at once"],
  ["{ attemptTimeout: 10, deadline: 10 }", "it never applies"],
  ["{ deadline: 10 }", "uses up the deadline"],
  ["{ grace: 10, deadline: 9 }", "The grace has no effect"],
  [
    "{ grace: Infinity, attemptTimeout: 1, maxTries: 2, exceptions: [] }",
    "A grace without an end",
  ],
  ["{ deadline: 10, pause: 5, exceptions: [] }", "come back together"],
  ["{ deadline: 10, exceptions: [] }", "There is no pause"],
  [
    "{ deadline: 100, maxTries: 9, pause: 50, exceptions: [] }",
    "The pauses alone take up to 400 ms",
  ],
  ['{ deadline: 10, exceptions: "all" }', '"all" retries mistakes'],
  [
    "{ deadline: 10, pause: ({ error }) => error.wait, exceptions: [Error] }",
    "A function of the policy throws",
  ],
];

Deno.test("warningsOf() says what a policy does in words", async () => {
  for (const [text, sentence] of sentences) {
    const policy = policyOf(text);
    const world = checkedWorld(
      readWorld("{ failureRate: 1, maxAttempts: 500 }"),
      policy.errorClass,
    );
    const { simulation } = await traced(policy, world, 1);
    const found = warningsOf(policy.rules, await outageLoad(policy), simulation);
    const texts = found.map(({ text }) => text).join("\n");
    assertStringIncludes(texts, sentence, text);
  }
});

Deno.test("duration() and percent() round for reading", () => {
  assertEquals([0, 5.25, 999, 1500, 31_000, 180_000, 7.2e6, Infinity].map(duration), [
    ...["0 ms", "5.25 ms", "999 ms", "1.5 s", "31 s", "3 min", "2 h", "for ever"],
  ]);
  assertEquals([0, 1, 0.5, 0.999, 0.99999, 0.000001].map(percent), [
    ...["0 %", "100 %", "50 %", "99.9 %", "99.99 %", "0.01 %"],
  ]);
});

Deno.test("drawDurations() and drawLoad() draw whatever happened", async () => {
  const policy = policyOf('{ maxTries: 2, exceptions: "all" }');
  for (
    const world of [
      "{ failureRate: 1 }",
      "{ script: [{ latency: Infinity }] }",
      "{ executions: 9 }",
    ]
  ) {
    const checked = checkedWorld(readWorld(world), policy.errorClass);
    const { simulation } = await traced(policy, checked, 1);
    const svg = drawDurations(simulation);
    assertStringIncludes(svg, 'role="img" aria-label="Time to an answer.');
    assert(!/NaN|Infinity/.test(svg), svg);
  }
  const long = drawLoad([{ name: "calls", kind: "load", values: Array(7200).fill(2) }]);
  assert(long.length < 20_000 && long.includes("calls: at most 2."), `${long.length}`);
  const svg = drawLoad([
    { name: "executions", kind: "demand", values: [1, 5] },
    { name: "calls", kind: "load", values: [1, 9, 3] },
  ]);
  assertStringIncludes(svg, "executions: at most 5. calls: at most 9.");
  assert(!/NaN|Infinity/.test(svg));
});
