// The world of the scripts: classes, errors and values by their names, and labels by which
// the traces refer to them.

import {
  Backoff,
  type BackoffOptions,
  type ErrorClass,
  nonRetryable,
  ResultError,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import type {
  AbortScript,
  ClassName,
  ErrorName,
  Past,
  PastError,
  ValueName,
} from "./script.ts";
import { primitives } from "./script.ts";

class A extends Error {}
class B extends A {}
class C extends Error {}
/** A class that decides for itself what its instances are. */
class Text {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "string";
  }
}

/** The classes by name. */
export const classes: Record<ClassName, ErrorClass> = {
  A,
  B,
  C,
  Error,
  Object,
  DOMException,
  Text,
};

const makers: Record<ErrorName, () => unknown> = {
  A: () => new A(),
  B: () => new B(),
  C: () => Object.freeze(new C()),
  ours: () => new TimeoutError("attempt", 7),
  timeout: () => new DOMException("The time is up", "TimeoutError"),
  abort: () => new DOMException("Aborted", "AbortError"),
  namedTimeout: () => ({ name: "TimeoutError" }),
  namedAbort: () => Object.assign(new Error(), { name: "AbortError" }),
  circular: () => {
    const error = new Error();
    error.cause = error;
    return error;
  },
  secretive: () => ({
    get name() {
      throw new Error("this name cannot be read");
    },
    get cause() {
      throw new Error("this cause cannot be read");
    },
  }),
  bare: () => Object.freeze(Object.create(null)),
  thenable: () => ({ then: (resolve: (value: string) => void) => resolve("wrong") }),
  text: () => "text",
  nan: () => NaN,
  null: () => null,
  undefined: () => undefined,
};

/** Makes a value to throw. */
export const makeError = (name: ErrorName): unknown => makers[name]();

/**
 * Makes an error with a past, and wraps it in its causes. It is in a box, because one that is
 * thenable must not be awaited.
 */
export async function makePastError(
  { raise, past, depth }: PastError,
): Promise<{ error: unknown }> {
  let error = makeError(raise);
  await give(error, past);
  for (let index = 0; index < depth; index++) error = new A("wrapped", { cause: error });
  return { error };
}

/** Gives an error its past. A primitive has none. */
async function give(error: unknown, past: Past): Promise<void> {
  if (typeof error !== "object" || error === null) return;
  if (past !== "marked") {
    await endWith(error, past === "marked and retried" ? "maxTries" : past);
  }
  if (past.startsWith("marked")) nonRetryable(error);
}

/** Ends an execution with an error, on a clock of its own. */
async function endWith(
  error: object,
  past: Exclude<Past, "marked" | "marked and retried">,
): Promise<void> {
  const controller = new AbortController();
  const raise = (error: unknown) => {
    throw error;
  };
  const rules: Record<typeof past, BackoffOptions> = {
    maxTries: { maxTries: 2 },
    giveup: { giveup: () => true },
    "giveup by its pause": { pause: ({ error }) => raise(error) },
    budget: { budget: { mayRetry: () => false } },
    deadline: { deadline: 10, pause: 20 },
    "no time left": { deadline: 10, pause: 20, minRemaining: 0 },
    "single try": { maxTries: 1 },
    nonRetryable: { exceptions: () => false },
    aborted: { pause: () => (controller.abort(error), 0) },
    callbackError: { giveup: () => raise(error) },
    success: {},
  };
  const clock = new TestClock();
  const { signal } = controller;
  const options = { exceptions: () => true, signal, clock, ...rules[past] };
  // An error of another object is thrown where the callback or the caller supplies this one.
  const thrown = past === "aborted" || past === "callbackError" ? new C() : error;
  const execution = new Backoff(options).execute(() => {
    if (past === "success") return [error];
    throw thrown;
  });
  await clock.run(execution.catch(() => {}));
}

/** Whether an execution finds that an error was retried enough by another one. */
export async function isExhausted(error: unknown): Promise<boolean> {
  let reason = "";
  const probe = new Backoff({
    // Neither marks nor retries it.
    maxTries: 1,
    exceptions: "all",
    retryExhausted: false,
    observe: (event) => {
      if (event.type === "done") reason = event.reason;
    },
  });
  await probe.execute(() => {
    throw error;
  }).catch(() => {});
  return reason === "exhausted";
}

/** Makes a value to return. */
export function makeValue(name: ValueName): unknown {
  const values: Record<ValueName, unknown> = {
    object: {},
    text: "text",
    undefined: undefined,
    null: null,
    zero: 0,
    error: new Error("a value"),
    function: () => {},
  };
  return values[name];
}

/** Makes a reason to abort with. With `undefined`, the platform makes its own. */
export function makeReason(kind: AbortScript["reason"], label: string): unknown {
  if (kind === "text") return label;
  if (kind === "platform") return undefined;
  return kind === "error" ? new Error(label) : makeError(kind);
}

/** Labels of values. Two labels are equal only if the values are identical. */
export class Labels {
  readonly #labels = new Map<unknown, string>([
    ["text", "text"],
    [NaN, "nan"],
    [null, "null"],
    [undefined, "undefined"],
    [0, "zero"],
  ]);
  readonly #taken = new Set<string>();
  /** The name of the execution in the messages of the library's errors. */
  readonly #subject: string;
  readonly #signals = new Map<AbortSignal, string>();

  constructor(name: string) {
    this.#subject = name === "" ? "n anonymous function" : `'${name}'`;
  }

  /** Sets the label of a value. */
  set(value: unknown, label: string): void {
    const [name = ""] = label.split(" ");
    if (primitives.includes(name)) return;
    this.#labels.set(value, label);
  }

  /** Sets the label of the reason that a signal will have. */
  expect(signal: AbortSignal, label: string): void {
    this.#signals.set(signal, label);
  }

  /**
   * The label of a value. An error of the library is labelled by the attempt that first has
   * it.
   */
  of(value: unknown, attempt: number): string {
    const known = this.#labels.get(value);
    if (known !== undefined) return known;
    const label = this.#reasonOf(value) ?? this.#ours(value, attempt);
    const unique = this.#taken.has(label) ? `${label}, but another one` : label;
    this.#taken.add(label);
    this.#labels.set(value, unique);
    return unique;
  }

  #reasonOf(value: unknown): string | undefined {
    for (const [signal, label] of this.#signals) {
      if (signal.aborted && Object.is(signal.reason, value)) return label;
    }
    return undefined;
  }

  /** Labels an error of the library. All other values are labelled before they are seen. */
  #ours(error: unknown, attempt: number): string {
    if (error instanceof TimeoutError) {
      const label = error.limit === "deadline"
        ? `deadline of ${error.ms}`
        : `${error.limit} timeout of ${error.ms} (${attempt})`;
      return this.#checkName(error, label);
    }
    if (error instanceof ResultError) {
      return this.#checkName(
        error,
        `refusal of ${this.of(error.value, attempt)} (${attempt})`,
      );
    }
    if (!(error instanceof TypeError || error instanceof RangeError)) {
      return `something unknown: ${String(error)}`;
    }
    const name = error instanceof TypeError ? "TypeError" : "RangeError";
    return "cause" in error ? `${name} caused by ${this.of(error.cause, attempt)}` : name;
  }

  #checkName({ message }: Error, label: string): string {
    return message.includes(this.#subject) ? label : `${label}, misnamed`;
  }
}
