// The world of the scripts: classes, errors and values by their names, and labels by which
// the traces refer to them.

import { type ErrorClass, TimeoutError } from "@asyncbackoff/asyncbackoff";
import type { AbortScript, ClassName, ErrorName, ValueName } from "./script.ts";
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
  secretive: () => ({
    get name() {
      throw new Error("this name cannot be read");
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
  readonly #signals = new Map<AbortSignal, string>();

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
      return error.limit === "attempt"
        ? `attempt timeout of ${error.ms} (${attempt})`
        : `deadline of ${error.ms}`;
    }
    if (!(error instanceof TypeError || error instanceof RangeError)) {
      return `something unknown: ${String(error)}`;
    }
    const name = error instanceof TypeError ? "TypeError" : "RangeError";
    return "cause" in error ? `${name} caused by ${this.of(error.cause, attempt)}` : name;
  }
}
