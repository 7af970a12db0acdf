// Scripts: a policy, the behaviour of its function at each attempt, and the aborts of its
// callers. They are plain data that can be pasted into a test. Instants count from the
// beginning of the execution.

/** The name of a value to throw. `facts` holds what the reference knows of it. */
export type ErrorName = keyof typeof facts;

/** The name of a class that a policy may retry. */
export type ClassName = "A" | "B" | "C" | "Error" | "Object" | "DOMException" | "Text";

/** The classes of each thrown value, and its `name`; `null` if it has none. */
export const facts = {
  A: { classes: ["A", "Error", "Object"], name: "Error" },
  B: { classes: ["A", "B", "Error", "Object"], name: "Error" },
  C: { classes: ["C", "Error", "Object"], name: "Error" },
  ours: { classes: ["Error", "Object"], name: "TimeoutError" },
  timeout: { classes: ["DOMException", "Error", "Object"], name: "TimeoutError" },
  abort: { classes: ["DOMException", "Error", "Object"], name: "AbortError" },
  namedTimeout: { classes: ["Object"], name: "TimeoutError" },
  namedAbort: { classes: ["Error", "Object"], name: "AbortError" },
  circular: { classes: ["Error", "Object"], name: "Error" },
  secretive: { classes: ["Object"], name: null },
  bare: { classes: [], name: null },
  thenable: { classes: ["Object"], name: null },
  text: { classes: ["Text"], name: null },
  nan: { classes: [], name: null },
  null: { classes: [], name: null },
  undefined: { classes: [], name: null },
} as const satisfies Record<string, { classes: readonly ClassName[]; name: string | null }>;

/** The name of a value to return. */
export type ValueName =
  | "object"
  | "text"
  | "undefined"
  | "null"
  | "zero"
  | "error"
  | "function";

/** Values without an identity: two of the same name cannot be told apart. */
export const primitives = ["text", "nan", "null", "undefined", "zero"];

/**
 * The history of an error before the function throws it. It is marked as not retryable, or
 * another execution has ended with it: after its retries, or otherwise.
 */
export type Past =
  | "marked"
  | "marked and retried"
  | "maxTries"
  | "giveup"
  | "giveup by its pause"
  | "budget"
  | "deadline"
  | "no time left"
  | "single try"
  | "nonRetryable"
  | "aborted"
  | "callbackError"
  | "success";

/** An error with a past, and the number of causes in which it is wrapped. */
export interface PastError {
  raise: ErrorName;
  past: Past;
  depth: number;
}

/**
 * The outcome of a call. An error that is wrapped is the cause of an `A`. `again` is the error
 * that ended the attempt before, and in the first attempt an `A`.
 */
export type Ending = { return: ValueName } | { raise: ErrorName } | PastError | "again";

/** The time of an outcome: in the call, right after it, later, at an instant, or never. */
export type When =
  | "sync"
  | "soon"
  | { after: number }
  /** A timer that was armed before the execution began. */
  | { at: number }
  | "never";

/** The kind of value by which a function returns its outcome. */
export type Form = "plain" | "async" | "subclass" | "thenable" | "twice";

/** The reaction of a function when its signal aborts. With 0, it is immediate. */
export type Reaction = { after: number; ending: Ending | "reason" };

/**
 * A report of progress: in the call, or a while after it. The names of checkpoints are those of
 * primitives, so that two of the same name cannot be told apart.
 */
export interface ReportScript {
  after: number | "in the call";
  /** `null` for a report without an argument. */
  checkpoint: string | null;
}

/** One call of the function. */
export interface AttemptScript {
  reports: ReportScript[];

  ending: Ending;
  when: When;
  form: Form;
  /** `null` if the function never reads its signal. */
  onAbort: Reaction | "ignore" | null;
}

/** The source of an abort. */
export type AbortFrom =
  | "beforehand"
  | "right after"
  /**
   * A timer that is armed before the execution begins, or after its first attempt has
   * begun.
   */
  | { at: number; armed: "before" | "after" }
  /** A timer that the function arms in this attempt. */
  | { by: "timer"; attempt: number; after: number }
  /** A callback of this attempt. */
  | { by: Place; attempt: number };

/**
 * A callback that can abort. `call's until` is that of the execution, `work` settles the
 * attempt, `listener` listens to its signal, and the last three are events.
 */
export type Place =
  | "until"
  | "call's until"
  | "exceptions"
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
  /** The reason. `timeout` has the name of the platform's timeouts, `A` may be retried. */
  reason: "error" | "text" | "platform" | "timeout" | "A";
  from: AbortFrom;
}

/** The answers of callbacks, by attempt. The last one is repeated. */
export type Answer = boolean | "truthy" | "falsy" | "throw" | "promise";
export type BudgetAnswer = boolean | "throw" | "promise";
export type PauseAnswer =
  | number
  | "NaN"
  | "negative"
  | "none"
  | "throw"
  | "throw the failure's error"
  | "promise";

/** A budget, and the functions that it has besides `mayRetry`. */
export interface BudgetScript {
  mayRetry: BudgetAnswer[];
  hooks: "all" | "none" | "all, and ended throws";
}

/** Whether there is an observer, and whether it throws at each event. */
export type ObserverScript = "none" | "quiet" | "throws";

/** The options of a policy, and the entry point that takes them. */
export interface PolicyScript {
  entryPoint:
    | "execute"
    | "with"
    | "wrap"
    | "asyncbackoff"
    | "positional"
    | "asyncretry"
    | "retry";
  attemptTimeout: number | null;
  deadline: number | null;
  /** A number, a list, or the answers of a function. */
  pause: number | null | { list: number[] } | PauseAnswer[];
  minRemaining: number | null;
  /** Classes, "all", or the answers of a predicate. */
  exceptions: ClassName[] | "all" | { predicate: Answer[] } | null;
  until: Answer[] | null;
  maxTries: number | null;
  giveup: Answer[] | null;
  budget: BudgetScript | null;
  retryExhausted: boolean | null;
  idleTimeout: number | null;
  resetAfter: number | null;
  grace: number | null;
  observer: ObserverScript;
  name: string | null;
  clock: "after" | "sleep";
  /** For `with`: a bit for each option, set if it is of the policy that is changed. */
  kept: number;
}

/** The options of the execution alone. */
export interface CallScript {
  observer: ObserverScript;
  until: Answer[] | null;
  name: string | null;
  /**
   * When the outer attempt would end in which it is nested. That settles at once, so it only
   * bounds what remains.
   */
  outer: number | null;
}

/** One execution. After the last of its attempts, the function returns at once. */
export interface Script {
  policy: PolicyScript;
  call: CallScript;
  /** The name of the function. */
  fn: string;
  attempts: AttemptScript[];
  aborts: AbortScript[];
}

/** A record of an execution as text, in which differences are easy to read. */
export interface Trace {
  /** Everything that happened until the execution settled, in order. */
  lines: string[];
  /** Each report, and the checkpoint of its attempt after it. */
  reports: string[];
  /** The late outcomes of abandoned attempts. */
  late: string[];
  /** For each call of the function, the final state of its signal. */
  signals: string[];
  /** The calls to the budget that concern the whole execution. */
  budget: string[];
  /** The counters, including those of the ends by reason; `null` if nobody can read them. */
  counters: Record<string, number> | null;
  /** Whether another execution finds that the error was retried already. */
  isExhausted: boolean;
}

/** Whether an execution can have options of its own. */
export function hasCallOptions({ entryPoint }: PolicyScript): boolean {
  return entryPoint === "execute" || entryPoint === "with";
}

/** The name of an execution: its own, that of the policy, or that of the function. */
export function nameOf({ call, policy, fn }: Script): string {
  return call.name ?? policy.name ?? fn;
}

/** The behaviour of the function at an attempt. */
export function attemptOf(script: Script, attempt: number): AttemptScript {
  return script.attempts[attempt - 1] ??
    { reports: [], ending: { return: "text" }, when: "soon", form: "plain", onAbort: null };
}

/** The answer at an attempt. The last answer is repeated. */
export function answerOf<T>(answers: readonly T[], attempt: number): T {
  return answers[Math.min(attempt, answers.length) - 1] as T;
}

/** A script as a literal that can be pasted into a test. */
export function literal(script: unknown): string {
  const text = JSON.stringify(script, (_, value) => value === Infinity ? "∞" : value, 2);
  return text.replaceAll('"∞"', "Infinity").replace(/"(\w+)":/g, "$1:");
}
