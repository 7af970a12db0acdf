// Plays the script of a stream with the library on a test clock.

import { type Attempt, Backoff, sleep, TimeoutError } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import type { StreamTrace } from "./stream_reference.ts";
import type { AttemptScript, StreamScript } from "./stream_script.ts";

/** Longer than any script. */
const LONG = 5000;

const NOTHING: AttemptScript = { steps: [], heedsSignal: false, cleanup: 0 };

/** Plays one script. */
export class StreamRunner {
  readonly #script: StreamScript;
  readonly #clock = new TestClock();
  readonly #lines: string[] = [];
  #checkpoints = 0;
  #items = 0;

  constructor(script: StreamScript) {
    this.#script = script;
  }

  async run(): Promise<StreamTrace> {
    const clock = this.#clock;
    const { replay, abortAt, returnAt } = this.#script;
    const { attemptTimeout, idleTimeout, deadline, grace } = this.#script;
    const { resetAfter, maxTries, pause } = this.#script;
    const limits = { attemptTimeout, idleTimeout, deadline, grace, resetAfter };
    const controller = new AbortController();
    let reason = "none";
    const backoff = new Backoff({
      ...limits,
      clock,
      exceptions: "all",
      maxTries,
      pause,
      observe: (event) => {
        if (event.type === "done") reason = event.reason;
      },
    });
    sleep(abortAt, { clock }).then(() => controller.abort(new Error("abort")));
    let returned = Infinity;
    sleep(returnAt, { clock }).then(async () => {
      await items.return();
      returned = clock.now();
    });
    const items = stream(backoff, (attempt) => this.#produce(attempt), {
      replay,
      signal: controller.signal,
    });
    let end = "Infinity hangs";
    this.#consume(items).then(
      () => end = `${clock.now()} done`,
      (error) => end = `${clock.now()} ${nameOf(error)}`,
    );
    await clock.advance(LONG);
    clock.close();
    const { attempts } = backoff.statistic;
    return { lines: this.#lines, reason, attempts, end, returned };
  }

  async #consume(items: AsyncIterable<number>): Promise<void> {
    const { holds, stops } = this.#script;
    for await (const item of items) {
      this.#items = item;
      this.#note(`item ${item}`);
      const hold = holds[item - 1] ?? 0;
      if (hold > 0) await sleep(hold, { clock: this.#clock });
      if (stops?.after !== item) continue;
      if (stops.by === "throw") throw new Error("thrown");
      return;
    }
  }

  #note(line: string): void {
    this.#lines.push(`${this.#clock.now()} ${line}`);
  }

  async *#produce(attempt: Attempt): AsyncGenerator<number> {
    const clock = this.#clock;
    const { signal, number } = attempt;
    const script = this.#script.attempts[number - 1] ?? NOTHING;
    this.#note(`call ${number} from ${attempt.checkpoint ?? 0}`);
    signal.addEventListener("abort", () => {
      this.#note(`signal ${number}: ${nameOf(signal.reason).split(" ")[0]}`);
    });
    const options = script.heedsSignal ? { clock, signal } : { clock };
    /** Notes as many checkpoints as the library does. */
    const report = (isCheckpoint: boolean) => {
      attempt.progress(isCheckpoint ? this.#checkpoints + 1 : undefined);
      if (attempt.checkpoint === this.#checkpoints + 1) this.#checkpoints++;
    };
    try {
      for (const { covers, waits, then } of script.steps) {
        if (covers) report(true);
        for (const { ms, report: kind } of waits) {
          if (ms > 0) await sleep(ms, options);
          if (kind !== "none") report(kind === "checkpoint");
        }
        if (then === "fail") throw new Error(`failure ${number}`);
        if (then === "end") return;
        yield this.#items + 1; // it counts what is delivered
      }
    } finally {
      if (signal.aborted && script.cleanup > 0) await sleep(script.cleanup, { clock });
    }
  }
}

function nameOf(error: unknown): string {
  if (error instanceof TimeoutError) {
    return error.limit === "deadline" ? "deadline" : `${error.limit} timeout`;
  }
  const { name, message } = error as Error;
  return name === "AbortError" ? "stopped" : message;
}
