// Who plays: the classes, the errors and the values of the scripts, and the names by which
// they are known again.

import { type ErrorClass, TimeoutError } from "@asyncbackoff/asyncbackoff";
import type { AbortScript, ClassName, ErrorName, ValueName } from "./script.ts";
import { primitives } from "./script.ts";

class A extends Error {}
class B extends A {}
class C extends Error {}
/** A class may decide for itself what is of it. */
class Text {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "string";
  }
}

/** The classes that policies list. */
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
      throw new Error("none of your business");
    },
  }),
  bare: () => Object.freeze(Object.create(null)),
  thenable: () => ({ then: (resolve: (value: string) => void) => resolve("wrong") }),
  text: () => "text",
  nan: () => NaN,
  null: () => null,
  undefined: () => undefined,
};

/** Makes something to throw. */
export const makeError = (name: ErrorName): unknown => makers[name]();

/** Makes something to return. */
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

/** Makes something to abort with; `undefined` leaves it to the platform. */
export function makeReason(kind: AbortScript["reason"], label: string): unknown {
  if (kind === "text") return label;
  if (kind === "platform") return undefined;
  return kind === "error" ? new Error(label) : makeError(kind);
}

/** Knows each thing by a label: two labels are the same only if the things are. */
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

  /** Says how something is called. */
  set(value: unknown, label: string): void {
    const [name = ""] = label.split(" ");
    if (primitives.includes(name)) return;
    this.#labels.set(value, label);
  }

  /** Says how the reason is called that a signal will have. */
  expect(signal: AbortSignal, label: string): void {
    this.#signals.set(signal, label);
  }

  /** How something is called; at which try it is seen names what the library made. */
  of(value: unknown, tries: number): string {
    const known = this.#labels.get(value);
    if (known !== undefined) return known;
    const label = this.#reasonOf(value) ?? this.#ours(value, tries);
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

  /** Only what the library makes is not known before it is seen. */
  #ours(error: unknown, tries: number): string {
    if (error instanceof TimeoutError) {
      return error.limit === "attempt"
        ? `attempt timeout of ${error.ms} (${tries})`
        : `deadline of ${error.ms}`;
    }
    if (error instanceof RangeError) return "RangeError";
    if (!(error instanceof TypeError)) return `something unknown: ${String(error)}`;
    const { cause } = error as { cause?: { error?: unknown; tries?: number } };
    return cause !== undefined && "error" in cause
      ? `TypeError by ${this.of(cause.error, tries)}`
      : "TypeError";
  }
}
