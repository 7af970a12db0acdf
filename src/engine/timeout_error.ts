/**
 * The error of a limit that was reached, and how messages show a value.
 *
 * @module
 */

/**
 * A limit was reached: the attempt timeout, or the deadline of the execution.
 *
 * `error.name` is `"TimeoutError"`, as that of the platform's own timeouts, and
 * every policy retries errors of that name. Where an attempt failed before the
 * deadline, the execution rejects with that failure's own error instead.
 *
 * @example Telling the two limits apart
 * ```ts
 * import { Backoff, TimeoutError } from "@asyncbackoff/asyncbackoff";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const backoff = new Backoff({ deadline: 0 });
 * const error = await backoff.execute(() => "never called").catch((e) => e);
 *
 * assert(error instanceof TimeoutError);
 * assertEquals(error.limit, "deadline");
 * assertEquals(error.ms, 0);
 * ```
 */
export class TimeoutError extends Error {
  static {
    // On the prototype, so that the stack's first line has it too.
    this.prototype.name = "TimeoutError";
  }

  /** Which limit was reached: that of one attempt, or that of the whole execution. */
  readonly limit: "attempt" | "deadline";
  /** How long the limit was, in milliseconds. */
  readonly ms: number;

  /**
   * Makes the error of a limit that was reached.
   *
   * @param limit Which limit was reached.
   * @param ms How long the limit was, in milliseconds.
   * @param name The name of the function that reached it, for the message. Default: none.
   */
  constructor(limit: "attempt" | "deadline", ms: number, name: string = "") {
    const who = name === "" ? "An anonymous function" : `'${name}'`;
    const what = limit === "attempt" ? "attempt timeout" : "deadline";
    super(`${who} reached its ${what} of ${ms} ms`);
    this.limit = limit;
    this.ms = ms;
  }
}

/**
 * A value as a message shows it: short, and never throwing, whatever it is.
 *
 * @param value Any value.
 * @returns A few words that a person recognises the value by.
 */
export function show(value: unknown): string {
  try {
    if (typeof value === "string") return shortened(JSON.stringify(value));
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return shortened(`function ${value.name}`.trimEnd());
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (typeof value !== "object" || value === null) return String(value);
    return `an object (${value.constructor?.name ?? "no prototype"})`;
  } catch {
    return "a value that cannot be shown";
  }
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
