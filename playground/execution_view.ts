/**
 * One execution, step by step.
 *
 * @module
 */

import { byId, make } from "./dom.ts";
import { LIMIT_NAMES } from "../src/engine/limit.ts";
import { duration } from "./warnings.ts";
import { errorText, rounded, type Step, type Trace } from "./trace.ts";

/** The axis of a drawing of the library. */
const AXIS = 520;
const DRAWING = { width: 860, rowTop: 16 };

/** The view of one execution. */
export class ExecutionView {
  readonly #host = byId("timeline", HTMLElement).attachShadow({ mode: "open" });
  readonly #range = byId("step", HTMLInputElement);
  readonly #number = byId("step-number", HTMLOutputElement);
  readonly #words = byId("step-words", HTMLElement);
  readonly #state = byId("state", HTMLElement);
  readonly #buttons: readonly (readonly [HTMLButtonElement, (step: number) => number])[] = [
    [byId("first", HTMLButtonElement), () => 0],
    [byId("previous", HTMLButtonElement), (step) => step - 1],
    [byId("next", HTMLButtonElement), (step) => step + 1],
    [byId("last", HTMLButtonElement), () => Infinity],
  ];
  readonly #stepped: () => void;
  #trace: Trace | null = null;
  /** The step that is shown; `null` follows the last one. */
  #step: number | null = null;

  /**
   * Makes the view.
   *
   * @param stepped Called when the user has gone to another step.
   */
  constructor(stepped: () => void) {
    this.#stepped = stepped;
    for (const [button, next] of this.#buttons) {
      button.addEventListener("click", () => this.#goTo(next(this.#index)));
    }
    this.#range.addEventListener("input", () => this.#goTo(Number(this.#range.value) - 1));
  }

  /** The step that is shown; `null` if it is the last one. */
  get step(): number | null {
    return this.#step;
  }

  /**
   * Shows an execution.
   *
   * @param trace The execution; `null` if there is none of the number.
   * @param step The step to show; `null` for the last one.
   */
  show(trace: Trace | null, step: number | null): void {
    this.#trace = trace;
    byId("execution-about", HTMLElement).textContent = trace === null
      ? "The simulation has no execution of this number."
      : trace.isCut
      ? `Begins at ${duration(trace.beganAt)}, and is under way when the simulation ends.`
      : `Begins at ${duration(trace.beganAt)}.`;
    if (trace === null) return this.#clear();
    this.#step = step === null || step >= trace.steps.length - 1 ? null : step;
    this.#host.innerHTML = `<style>
      svg { display: block; min-width: 600px; width: 100%; height: auto; }
      .cursor { stroke: var(--accent); stroke-width: 2; }
      .later { fill: var(--shade); }
    </style>${trace.svg}`;
    this.#draw();
  }

  #clear(): void {
    this.#host.innerHTML = "";
    this.#number.value = "";
    this.#words.replaceChildren();
    this.#state.replaceChildren();
  }

  get #index(): number {
    const last = (this.#trace?.steps.length ?? 1) - 1;
    return Math.min(this.#step ?? last, last);
  }

  #goTo(step: number): void {
    const last = (this.#trace?.steps.length ?? 1) - 1;
    const index = Math.max(0, Math.min(step, last));
    this.#step = index === last ? null : index;
    this.#draw();
    this.#stepped();
  }

  #draw(): void {
    const trace = this.#trace;
    const index = this.#index;
    const step = trace?.steps[index];
    if (trace === null || step === undefined) return;
    const count = trace.steps.length;
    this.#range.max = `${count}`;
    this.#range.value = `${index + 1}`;
    this.#range.setAttribute("aria-valuetext", `step ${index + 1} of ${count}`);
    this.#number.value = `${index + 1} of ${count}`;
    for (const [button, next] of this.#buttons) {
      const target = Math.max(0, Math.min(next(index), count - 1));
      // A button that has the focus keeps it.
      button.setAttribute("aria-disabled", `${target === index}`);
    }
    this.#words.replaceChildren(make("b", {}, `${rounded(step.at)} ms`), step.words);
    this.#state.replaceChildren(
      ...stateRows(trace, step).map(([name, value]) =>
        make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value))
      ),
    );
    this.#drawCursor(trace, step);
  }

  /** Draws the instant over the drawing of the library, and fades what comes after it. */
  #drawCursor(trace: Trace, step: Step): void {
    const svg = this.#host.querySelector("svg");
    const axis = svg?.querySelector("g[transform]");
    if (!svg || !axis) return;
    this.#host.querySelectorAll(".cursor, .later").forEach((each) => each.remove());
    const [, left = "0", top = "0"] =
      /translate\(([\d.]+) ([\d.]+)\)/.exec(axis.getAttribute("transform") ?? "") ?? [];
    const height = svg.viewBox.baseVal.height;
    const x = Number(left) + AXIS * Math.min(1, step.at / Math.max(1, trace.latest));
    const add = (name: string, attributes: Record<string, string | number>) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) {
        element.setAttribute(key, `${value}`);
      }
      svg.append(element);
    };
    const y = Number(top) - DRAWING.rowTop;
    const isLast = this.#step === null;
    if (!isLast) {
      const width = DRAWING.width - x;
      add("rect", { class: "later", x, y: 0, width, height: height - 36 });
    }
    add("path", { class: "cursor", d: `M${x} ${y}V${height - 36}` });
  }
}

/** The state as names and values. Instants are relative to the beginning. */
function stateRows({ policy, beganAt }: Trace, { state }: Step): [string, string][] {
  const at = (instant: number) =>
    instant === Infinity ? "none" : `${rounded(instant - beganAt)} ms`;
  const { attempts, lastFailure } = state;
  const deadlineAt = state.beganAt + policy.deadline;
  const rows: [string, string][] = [
    ["phase", state.phase],
    [
      "attempts",
      `${attempts}${policy.maxTries < Infinity ? ` of ${policy.maxTries}` : ""}`,
    ],
    ["latest attempt began at", at(state.attemptAt)],
  ];
  if (state.phase === "done") {
    rows.push(["reason", state.reason], ["outcome", outcomeText(state.outcome)]);
  } else {
    rows.push(["wakes at", at(state.wakeAt)]);
    if (state.phase === "trying") {
      rows.push(["attempt timeout at", at(state.attemptAt + policy.attemptTimeout)]);
    }
    if (state.phase === "stopping") rows.push(["ended by", LIMIT_NAMES[state.limit]]);
    if (state.phase === "pausing") rows.push(["pause", `${rounded(state.pause)} ms`]);
    rows.push(["deadline at", at(deadlineAt)]);
  }
  rows.push([
    "last failure",
    lastFailure === null
      ? "none"
      : `attempt ${lastFailure.attempt}: ${errorText(lastFailure.error)}`,
  ]);
  return rows;
}

function outcomeText(outcome: PromiseSettledResult<unknown>): string {
  if (outcome.status === "rejected") return errorText(outcome.reason);
  const { value } = outcome;
  return value === undefined ? "a value" : errorText(JSON.stringify(value));
}
