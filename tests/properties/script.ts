// What the property tests are about: a policy, what its function does at each attempt, and
// what its callers do, as plain data that can be pasted into a test. Instants count from the
// beginning of the execution.

/** A value that functions throw here; the test's own knowledge of it is in `facts`. */
export type ErrorName = keyof typeof facts;

/** A class that policies list here. */
export type ClassName = "A" | "B" | "C" | "Error" | "Object" | "DOMException" | "Text";

/** Of which classes each thrown value is, and by what name it goes: `null` for none. */
export const facts = {
  A: { classes: ["A", "Error", "Object"], name: "Error" },
  B: { classes: ["A", "B", "Error", "Object"], name: "Error" },
  C: { classes: ["C", "Error", "Object"], name: "Error" },
  ours: { classes: ["Error", "Object"], name: "TimeoutError" },
  timeout: { classes: ["DOMException", "Error", "Object"], name: "TimeoutError" },
  abort: { classes: ["DOMException", "Error", "Object"], name: "AbortError" },
  namedTimeout: { classes: ["Object"], name: "TimeoutError" },
  namedAbort: { classes: ["Error", "Object"], name: "AbortError" },
  secretive: { classes: ["Object"], name: null },
  bare: { classes: [], name: null },
  thenable: { classes: ["Object"], name: null },
  text: { classes: ["Text"], name: null },
  nan: { classes: [], name: null },
  null: { classes: [], name: null },
  undefined: { classes: [], name: null },
} as const satisfies Record<string, { classes: readonly ClassName[]; name: string | null }>;

/** A value that functions return here. */
export type ValueName =
  | "object"
  | "text"
  | "undefined"
  | "null"
  | "zero"
  | "error"
  | "function";

/** These are the same wherever they come from: nothing tells one of them from another. */
export const primitives = ["text", "nan", "null", "undefined", "zero"];

/** What a function, or what it returns, comes to. */
export type Ending = { return: ValueName } | { raise: ErrorName };

/** When: in the function itself, right after it, after some time, at an instant, or never. */
export type When =
  | "sync"
  | "soon"
  | { after: number }
  /** A timer of somebody else's, armed before the execution began. */
  | { at: number }
  | "never";

/** How a function hands over what it comes to. */
export type Form = "plain" | "async" | "subclass" | "thenable" | "twice";

/** What a function does when its signal aborts: its answer comes at once for 0. */
export type Answer = { after: number; ending: Ending | "reason" };

/** One call of the function. */
export interface AttemptScript {
  ending: Ending;
  when: When;
  form: Form;
  /** `null`: it never looks at its signal. */
  onAbort: Answer | "ignore" | null;
}

/** Where an abort comes from. */
export type AbortFrom =
  | "beforehand"
  | "right after"
  /** A timer, armed before the execution begins, or after its first attempt has begun. */
  | { at: number; armed: "before" | "after" }
  /** A timer that the function arms in this try. */
  | { by: "timer"; tries: number; after: number }
  /** From within: `work` is where its settlement is made, `listener` its signal's. */
  | { by: Place; tries: number };

/** From within what an abort can come. */
export type Place =
  | "giveup"
  | "budget"
  | "pause"
  | "function"
  | "work"
  | "listener"
  | "attempt"
  | "failure"
  | "done";

/** An abort of the signal given to `execute`, or of the policy's. */
export interface AbortScript {
  signal: "own" | "policy";
  /** What it is aborted with: `timeout` is named as the platform's, `A` is listed by some. */
  reason: "error" | "text" | "platform" | "timeout" | "A";
  from: AbortFrom;
}

/** What `giveup`, `budget` and `pause` answer, by tries; the last answer stays. */
export type GiveupAnswer = boolean | "truthy" | "falsy" | "throw" | "promise";
export type BudgetAnswer = boolean | "throw" | "promise";
export type PauseAnswer = number | "NaN" | "negative" | "none" | "throw" | "promise";

/** The options. */
export interface PolicyScript {
  entry: "execute" | "wrap" | "asyncbackoff" | "positional" | "asyncretry";
  attemptTimeout: number | null;
  deadline: number | null;
  pause: number | null | PauseAnswer[];
  exceptions: ClassName[] | "all" | null;
  maxTries: number | null;
  giveup: GiveupAnswer[] | null;
  budget: BudgetAnswer[] | null;
  grace: number | null;
  /** Whether there is one, and whether it throws at each event. */
  observer: "none" | "quiet" | "throws";
  clock: "after" | "sleep";
}

/** One execution. Past the last of its attempts, the function returns at once. */
export interface Script {
  policy: PolicyScript;
  attempts: AttemptScript[];
  aborts: AbortScript[];
}

/** What an execution came to, as text: so it compares, and reads well where it differs. */
export interface Trace {
  /** All that happened until it had settled, in its order. */
  lines: string[];
  /** The late ends of attempts that were abandoned. */
  late: string[];
  /** For each call of the function, what its signal was aborted with in the end. */
  signals: string[];
  /** What the budget was told of the whole execution. */
  budget: string[];
  statistic: Record<string, number>;
}

/** What the function does at a try. */
export function attemptOf(script: Script, tries: number): AttemptScript {
  return script.attempts[tries - 1] ??
    { ending: { return: "text" }, when: "soon", form: "plain", onAbort: null };
}

/** What a list of answers says at a try: the last one stays. */
export function answerOf<T>(answers: readonly T[], tries: number): T {
  return answers[Math.min(tries, answers.length) - 1] as T;
}

/** A script as it can be pasted into a test. */
export function literal(script: unknown): string {
  const text = JSON.stringify(script, (_, value) => value === Infinity ? "∞" : value, 2);
  return text.replaceAll('"∞"', "Infinity").replace(/"(\w+)":/g, "$1:");
}
