/**
 * The playground: what a policy does in a world, by the library itself.
 *
 * @module
 */

import "./turns.ts"; // first: the library looks for it when it is loaded
import { RetryBudget } from "@asyncbackoff/asyncbackoff/budget";
import {
  simulate,
  type SimulatedExecution,
  type Simulation,
  type World,
} from "@asyncbackoff/asyncbackoff/simulate";
import { byId, make } from "./dom.ts";
import { ExecutionView } from "./execution_view.ts";
import { Form } from "./form.ts";
import { CodeError } from "./notation/tokens.ts";
import {
  checkPolicy,
  type Notation,
  type OptionTexts,
  type Policy,
  readPolicy,
  writePolicy,
} from "./policy.ts";
import { type Preset, PRESETS } from "./presets.ts";
import { showLoad, showSimulation, showWarnings } from "./simulation_view.ts";
import { writeTest } from "./test_snippet.ts";
import { traced } from "./trace.ts";
import { hashOf, type PageState, stateOf } from "./url_state.ts";
import { outageLoad, warningsOf } from "./warnings.ts";
import { checkedWorld, readWorld, WORLD_OPTIONS } from "./world.ts";

const policyCode = byId("policy-code", HTMLTextAreaElement);
const worldCode = byId("world-code", HTMLTextAreaElement);
const notation = byId("notation", HTMLSelectElement);
const preset = byId("preset", HTMLSelectElement);
const execution = byId("execution", HTMLInputElement);
const results = byId("results", HTMLElement);

const presets: Readonly<Record<string, Preset>> = PRESETS;

/** The options that were last read, while the code has a mistake. */
let options: OptionTexts = {};
/** Each run has a number, so that an older one does not overwrite a newer one. */
let runs = 0;
/** The run under way. Another one begins after it, because a simulation cannot be stopped. */
let running: Promise<void> = Promise.resolve();

const form = new Form(() => {
  options = form.texts;
  policyCode.value = writePolicy(notation.value as Notation, options);
  update();
});
const view = new ExecutionView(() => saveState());
/** The latest simulation; `null` before the first. */
let latest: Simulation | null = null;

/** Reads the code, shows its mistakes, and runs it. */
async function update(step: number | null = null): Promise<void> {
  for (const field of [policyCode, worldCode]) {
    field.rows = Math.max(5, Math.min(20, field.value.split("\n").length));
  }
  const policy = checked(
    policyCode,
    "policy-error",
    () => checkPolicy(readPolicy(policyCode.value)),
  );
  if (policy !== null) {
    options = policy.code.options;
    notation.value = policy.code.notation;
    form.show(options);
  }
  const world = checked(
    worldCode,
    "world-error",
    () => checkedWorld(readWorld(worldCode.value), policy?.errorClass ?? TypeError),
  );
  showPreset();
  saveState(step);
  runs += 1;
  const current = runs;
  const isRunnable = policy !== null && world !== null;
  results.classList.toggle("stale", !isRunnable);
  results.setAttribute("aria-busy", `${isRunnable}`);
  await running;
  if (!isRunnable || current !== runs) return;
  running = run(policy, world, step, current).catch((error) => {
    byId("world-error", HTMLElement).textContent = `The simulation failed: ${error}`;
  }).finally(() => {
    if (current === runs) results.setAttribute("aria-busy", "false");
  });
}

/** Shows the mistake in a field of code. Returns `null` if there is one. */
function checked<T>(field: HTMLTextAreaElement, id: string, read: () => T): T | null {
  const place = byId(id, HTMLElement);
  let message = "";
  let value: T | null = null;
  try {
    value = read();
  } catch (error) {
    message = error instanceof CodeError
      ? `Line ${error.line}, column ${error.column}: ${error.message}`
      : String(error);
  }
  if (place.textContent !== message) place.textContent = message;
  field.setAttribute("aria-invalid", `${message !== ""}`);
  return value;
}

async function run(
  policy: Policy,
  world: World,
  step: number | null,
  current: number,
): Promise<void> {
  const isOld = () => current !== runs;
  let steps = 0;
  let { simulation, trace } = await traced(policy, world, chosen(), (early) => {
    if (isOld()) return;
    steps = early.steps.length;
    view.show(early, step);
    performance.mark("drawn");
  });
  if (isOld()) return;
  if (trace === null && document.activeElement !== execution) {
    execution.value = "1"; // another world has fewer executions
    ({ simulation, trace } = await traced(policy, world, 1));
    saveState(step);
  }
  latest = simulation;
  // Attempts that ended late are drawn as well.
  if (trace === null || trace.steps.length !== steps) view.show(trace, step);
  byId("execution-count", HTMLElement).textContent = `of ${simulation.executions.length}`;
  showSimulation(simulation);
  const hasBudget = policy.rules.budget !== null;
  const name = hasBudget ? "calls, with the budget" : "calls";
  showLoad(name, simulation, null);
  const load = await outageLoad(policy);
  if (isOld()) return;
  showWarnings(warningsOf(policy.rules, load, simulation));
  const other = await simulate(
    policy.source({
      budget: hasBudget
        ? null
        : new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 }),
    }),
    world,
  );
  if (isOld()) return;
  const otherName = hasBudget ? "calls without a budget" : "calls with a budget of 20 %";
  showLoad(name, simulation, { name: otherName, simulation: other });
}

/** The number of the execution to draw. */
function chosen(): number {
  return Math.max(1, Math.floor(Number(execution.value)) || 1);
}

/** Draws the execution for which a number is the highest. */
function choose(rank: (execution: SimulatedExecution) => number): void {
  const ranks = latest?.executions.map(rank) ?? [];
  const highest = ranks.reduce((max, each) => Math.max(max, each), 0);
  execution.value = `${ranks.indexOf(highest) + 1 || 1}`;
  update();
}

function showPreset(): void {
  const [key, found] =
    Object.entries(presets).find(([, { world }]) =>
      world.trim() === worldCode.value.trim()
    ) ?? ["", null];
  preset.value = key;
  byId("preset-about", HTMLElement).textContent = found?.about ?? "A world of your own.";
}

function currentState(step: number | null): PageState {
  return {
    policy: policyCode.value,
    world: worldCode.value,
    execution: chosen(),
    step,
  };
}

function saveState(step: number | null = view.step): void {
  const hash = hashOf(currentState(step));
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

function loadState(): void {
  const [first] = Object.values(presets);
  const fallback = { ...first as Preset, step: null };
  const state = stateOf(location.hash, fallback);
  policyCode.value = state.policy;
  worldCode.value = state.world;
  execution.value = `${state.execution}`;
  update(state.step);
}

function loadPreset({ policy, world, execution: number }: Preset): void {
  policyCode.value = policy;
  worldCode.value = world;
  execution.value = `${number}`;
  update();
}

async function copy(what: string): Promise<void> {
  const text = what === "link"
    ? location.href
    : what === "test"
    ? writeTest(options, worldCode.value)
    : writePolicy(what as Notation, options);
  await navigator.clipboard.writeText(text);
  byId("copied", HTMLElement).textContent = `Copied as ${
    what === "link" ? "a link" : what
  }.`;
}

for (const [key, { name }] of Object.entries(presets)) {
  preset.append(make("option", { value: key }, name));
}
preset.append(make("option", { value: "", disabled: "" }, "your own"));
for (const [name, doc] of Object.entries(WORLD_OPTIONS)) {
  if (doc === null) continue;
  byId("world-options", HTMLElement).append(
    make("dt", {}, make("code", {}, name)),
    make("dd", {}, doc),
  );
}
policyCode.addEventListener("input", () => update());
worldCode.addEventListener("input", () => update());
execution.addEventListener("input", () => update());
notation.addEventListener("change", () => {
  policyCode.value = writePolicy(notation.value as Notation, options);
  update();
});
preset.addEventListener("change", () => {
  const chosen = presets[preset.value];
  if (chosen !== undefined) loadPreset(chosen);
});
byId("slowest", HTMLButtonElement)
  .addEventListener("click", () => choose(({ elapsed }) => elapsed));
byId("busiest", HTMLButtonElement)
  .addEventListener("click", () => choose(({ attempts }) => attempts));
for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
  const name = button.textContent;
  button.addEventListener("click", async () => {
    await copy(button.dataset["copy"] ?? "");
    button.textContent = "copied";
    setTimeout(() => button.textContent = name, 1200);
  });
}
addEventListener("hashchange", loadState);
loadState();
