// Random scripts. Times lie on a coarse grid, so that ties are frequent.

import fc from "fast-check";
import type {
  AbortFrom,
  AbortScript,
  Answer,
  AttemptScript,
  BudgetAnswer,
  BudgetScript,
  CallScript,
  ClassName,
  Ending,
  ErrorName,
  ObserverScript,
  Past,
  PauseAnswer,
  Place,
  PolicyScript,
  ReportScript,
  Script,
  ValueName,
} from "./script.ts";
import { facts, hasCallOptions } from "./script.ts";

const { constant, constantFrom, integer, oneof, option, record } = fc;
type Arbitrary<T> = fc.Arbitrary<T>;

const times = (from: number, to: number): Arbitrary<number> =>
  integer({ min: from, max: to }).map((each) => each * 10);

/** The first choice is much more frequent than the others. */
const mostly = <T>(often: Arbitrary<T>, ...rest: Arbitrary<T>[]): Arbitrary<T> =>
  oneof(
    { weight: 12, arbitrary: often },
    ...rest.map((each) => ({ weight: 1, arbitrary: each })),
  );

/** Mostly absent. */
const rarely = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | null> =>
  oneof({ weight: 3, arbitrary: constant(null) }, { weight: 1, arbitrary });

const errorNames = Object.keys(facts) as ErrorName[];
const error: Arbitrary<ErrorName> = oneof(
  { weight: 3, arbitrary: constantFrom<ErrorName[]>("A", "B") },
  { weight: 1, arbitrary: constantFrom(...errorNames) },
);
const value = constantFrom<ValueName[]>(
  "object",
  "text",
  "undefined",
  "null",
  "zero",
  "error",
  "function",
);
const past: Arbitrary<Past> = oneof(
  { weight: 3, arbitrary: constantFrom<Past[]>("marked", "maxTries", "giveup") },
  {
    weight: 5,
    arbitrary: constantFrom<Past[]>(
      "marked and retried",
      "giveup by its pause",
      "budget",
      "deadline",
      "no time left",
      "single try",
      "nonRetryable",
      "aborted",
      "callbackError",
      "success",
    ),
  },
);
const ending: Arbitrary<Ending> = oneof(
  { weight: 24, arbitrary: record({ raise: error }) },
  { weight: 10, arbitrary: record({ return: value }) },
  {
    weight: 4,
    arbitrary: record({
      raise: error,
      past,
      depth: oneof({ weight: 3, arbitrary: constant(0) }, {
        weight: 2,
        arbitrary: constantFrom(1, 2, 10, 11),
      }),
    }),
  },
  { weight: 3, arbitrary: constant<Ending>("again") },
);

/** Ranges of times, in steps of the grid. The smaller they are, the more ties there are. */
interface Reach {
  readonly work: Arbitrary<number>;
  readonly instant: Arbitrary<number>;
  readonly timeout: Arbitrary<number | null>;
  readonly deadline: Arbitrary<number | null>;
  readonly grace: Arbitrary<number | null>;
  readonly idle: Arbitrary<number | null>;
  readonly reset: Arbitrary<number | null>;
}

const wide: Reach = {
  work: times(0, 6),
  instant: times(0, 12),
  timeout: mostly(option(times(1, 5), { freq: 4 }), constantFrom(0, Infinity)),
  deadline: mostly(option(times(1, 14), { freq: 3 }), constantFrom(0, Infinity)),
  grace: oneof<Arbitrary<number | null>[]>(
    option(times(0, 4), { freq: 2 }),
    constant(Infinity),
  ),
  idle: mostly(option(times(1, 5)), constantFrom(0, Infinity)),
  reset: rarely(times(0, 6)),
};
const near: Reach = {
  work: times(0, 4),
  instant: times(1, 5),
  timeout: times(1, 2),
  deadline: option(times(3, 5)),
  grace: option(times(1, 3), { freq: 3 }),
  idle: option(times(1, 3)),
  reset: rarely(times(0, 3)),
};

const reportIn = (reach: Reach): Arbitrary<ReportScript> =>
  record({
    after: oneof(
      { weight: 1, arbitrary: constant<"in the call">("in the call") },
      { weight: 4, arbitrary: reach.work },
    ),
    checkpoint: option(constantFrom("one", "two", "three")),
  });

const attemptIn = (reach: Reach): Arbitrary<AttemptScript> =>
  record({
    reports: fc.array(reportIn(reach), { maxLength: 3 }),
    ending,
    when: oneof(
      {
        weight: 2,
        arbitrary: constantFrom<AttemptScript["when"][]>("sync", "soon", "never"),
      },
      { weight: 4, arbitrary: record({ after: reach.work }) },
      { weight: 1, arbitrary: record({ at: reach.instant }) },
    ),
    form: mostly<AttemptScript["form"]>(
      constant("plain"),
      constant("async"),
      constant("subclass"),
      constant("thenable"),
      constant("twice"),
    ),
    onAbort: oneof<Arbitrary<AttemptScript["onAbort"]>[]>(
      constant(null),
      constant("ignore"),
      record({
        after: reach.work,
        ending: oneof<Arbitrary<"reason" | Ending>[]>(constant("reason"), ending),
      }),
    ),
  });

const classNames: ClassName[] = ["A", "B", "C", "Error", "Object", "DOMException", "Text"];
const pauseAnswer = mostly<PauseAnswer>(
  times(0, 4),
  constantFrom<PauseAnswer[]>("NaN", "negative", "none", "throw", "promise"),
  constant("throw the failure's error"),
);
/** Answers that mostly let the execution go on. */
const answers = (often: boolean): Arbitrary<Answer[]> =>
  fc.array(
    mostly<Answer>(
      constant(often),
      constant(often ? "truthy" : "falsy"),
      constantFrom<Answer[]>(
        ...often ? [false, "falsy"] as const : [true, "truthy"] as const,
      ),
      constantFrom<Answer[]>("throw", "promise"),
    ),
    { minLength: 1, maxLength: 4 },
  );
const untilAnswers: Arbitrary<Answer[]> = fc.array(
  oneof<{ arbitrary: Arbitrary<Answer>; weight: number }[]>(
    { weight: 5, arbitrary: constantFrom<Answer[]>(true, "truthy") },
    { weight: 5, arbitrary: constantFrom<Answer[]>(false, "falsy") },
    { weight: 1, arbitrary: constantFrom<Answer[]>("throw", "promise") },
  ),
  { minLength: 1, maxLength: 4 },
);

const budgetAnswer = mostly<BudgetAnswer>(
  constant(true),
  constant(false),
  constantFrom<BudgetAnswer[]>("throw", "promise"),
);
const budget: Arbitrary<BudgetScript> = record({
  mayRetry: fc.array(budgetAnswer, { minLength: 1, maxLength: 4 }),
  hooks: constantFrom<BudgetScript["hooks"][]>(
    "all",
    "all",
    "none",
    "all, and ended throws",
  ),
});

const observer = mostly<ObserverScript>(
  constant("quiet"),
  constant("none"),
  constant("throws"),
);

const policyIn = (reach: Reach): Arbitrary<PolicyScript> =>
  record({
    entryPoint: oneof(
      { weight: 3, arbitrary: constant<PolicyScript["entryPoint"]>("execute") },
      {
        weight: 2,
        arbitrary: constantFrom<PolicyScript["entryPoint"][]>(
          "with",
          "wrap",
          "asyncbackoff",
          "positional",
          "asyncretry",
          "retry",
        ),
      },
    ),
    attemptTimeout: reach.timeout,
    deadline: reach.deadline,
    pause: oneof<Arbitrary<PolicyScript["pause"]>[]>(
      option(times(0, 4)),
      record({ list: fc.array(times(0, 4), { minLength: 1, maxLength: 4 }) }),
      fc.array(pauseAnswer, { minLength: 1, maxLength: 3 }),
    ),
    minRemaining: rarely(times(0, 6)),
    exceptions: oneof<Arbitrary<PolicyScript["exceptions"]>[]>(
      constant("all"),
      constant(["A"]),
      option(fc.uniqueArray(constantFrom(...classNames), { maxLength: 3 })),
      record({ predicate: answers(true) }),
    ),
    until: rarely(untilAnswers),
    maxTries: option(
      oneof({ weight: 9, arbitrary: integer({ min: 1, max: 6 }) }, {
        weight: 1,
        arbitrary: constant(Infinity),
      }),
      { freq: 2 },
    ),
    giveup: option(answers(false), { freq: 2 }),
    budget: option(budget),
    retryExhausted: oneof<Arbitrary<boolean | null>[]>(
      constant(null),
      constant(true),
      constant(false),
    ),
    idleTimeout: reach.idle,
    resetAfter: reach.reset,
    grace: reach.grace,
    observer,
    name: rarely(constantFrom("the policy", "")),
    kept: integer({ min: 0, max: 2 ** 17 - 1 }),
    clock: oneof(
      { weight: 4, arbitrary: constant<PolicyScript["clock"]>("after") },
      { weight: 1, arbitrary: constant<PolicyScript["clock"]>("sleep") },
    ),
  });

const call: Arbitrary<CallScript> = record({
  observer: oneof(
    { weight: 4, arbitrary: constant<ObserverScript>("none") },
    { weight: 2, arbitrary: constant<ObserverScript>("quiet") },
    { weight: 1, arbitrary: constant<ObserverScript>("throws") },
  ),
  until: rarely(untilAnswers),
  name: rarely(constant("the call")),
  outer: rarely(times(1, 12)),
});

/** Most executions do not ask the first two, so they are here twice. */
const places: Place[] = [
  ...["until", "until", "call's until", "call's until"] as const,
  "exceptions",
  "giveup",
  "budget",
  "pause",
  "function",
  "work",
  "listener",
];
const attempt = oneof(constant(1), integer({ min: 1, max: 4 }));
const fromIn = (reach: Reach): Arbitrary<AbortFrom> =>
  oneof(
    {
      weight: 6,
      arbitrary: record({
        at: reach.instant,
        armed: constantFrom<("before" | "after")[]>("before", "after"),
      }),
    },
    {
      weight: 2,
      arbitrary: record({ by: constant<"timer">("timer"), attempt, after: reach.work }),
    },
    {
      weight: 8,
      arbitrary: record({
        by: constantFrom<Place[]>(...places, "attempt", "failure", "done"),
        attempt,
      }),
    },
    { weight: 1, arbitrary: constantFrom<AbortFrom[]>("beforehand", "right after") },
  );
const abortIn = (reach: Reach): Arbitrary<AbortScript> =>
  record({
    signal: constantFrom<AbortScript["signal"][]>("own", "policy"),
    reason: constantFrom<AbortScript["reason"][]>(
      "error",
      "text",
      "platform",
      "timeout",
      "A",
    ),
    from: fromIn(reach),
  });

/** Aborts of both signals before the execution begins. */
const beforehand: AbortScript[] = [
  { signal: "policy", reason: "error", from: "beforehand" },
  { signal: "own", reason: "text", from: "beforehand" },
];

const scriptIn = (reach: Reach): Arbitrary<Script> =>
  record({
    policy: policyIn(reach),
    call,
    fn: constantFrom("load", ""),
    attempts: fc.array(attemptIn(reach), { minLength: 1, maxLength: 6 }),
    aborts: oneof(
      { weight: 30, arbitrary: constant<AbortScript[]>([]) },
      { weight: 40, arbitrary: fc.array(abortIn(reach), { minLength: 1, maxLength: 1 }) },
      { weight: 10, arbitrary: fc.array(abortIn(reach), { maxLength: 3 }) },
      { weight: 1, arbitrary: constant(beforehand) },
    ),
  }).map(tidy);

/** Any script that ends, or waits for ever. */
export const script: Arbitrary<Script> = oneof(scriptIn(wide), scriptIn(near));

/** Changes a script where it would be endless, or contradict itself. */
function tidy(script: Script): Script {
  const { policy, attempts, aborts } = script;
  const hasOwn = hasCallOptions(policy);
  const call: CallScript = hasOwn
    ? script.call
    : { observer: "none", until: null, name: null, outer: null };
  const isAbortedIn = (place: Place) =>
    aborts.some(({ from }) =>
      typeof from === "object" && "by" in from && from.by === place
    );
  // A predicate that aborts must be there.
  const exceptions = isAbortedIn("exceptions") && !isPredicate(policy.exceptions)
    ? { predicate: [true] }
    : policy.exceptions;
  const until = policy.until ?? (isAbortedIn("until") ? [true] : null);
  const callUntil = call.until ?? (hasOwn && isAbortedIn("call's until") ? [true] : null);
  // After the attempts of its script, a function returns. With an attempt timeout of 0, it
  // is not called at all.
  const mayEnd = policy.attemptTimeout !== 0 && policy.idleTimeout !== 0 &&
    accepts(until) && accepts(callUntil);
  const maxTries = mayEnd || (policy.maxTries ?? Infinity) < Infinity ? policy.maxTries : 3;
  return {
    ...script,
    policy: tidyPolicy({ ...policy, exceptions, until, maxTries }),
    call: { ...call, until: callUntil },
    attempts: attempts.map((each, index) => tidyAttempt(each, index + 1, aborts)),
    aborts: hasOwn ? aborts : aborts.map((each) => ({ ...each, signal: "policy" })),
  };
}

function isPredicate(exceptions: PolicyScript["exceptions"]): boolean {
  return typeof exceptions === "object" && exceptions !== null && "predicate" in exceptions;
}

/** Whether the predicate accepts every value in the end. */
function accepts(answers: Answer[] | null): boolean {
  const last = answers?.at(-1) ?? true;
  return last !== false && last !== "falsy";
}

/** Gives a policy the options that its entry point asks for. */
function tidyPolicy(policy: PolicyScript): PolicyScript {
  const { entryPoint, maxTries, deadline } = policy;
  if (entryPoint === "retry") {
    const isUnbounded = maxTries === null && deadline === null;
    // Nobody can read the counters, so there is an observer that sees the attempts.
    const observer = policy.observer === "none" ? "quiet" : policy.observer;
    return { ...policy, observer, maxTries: isUnbounded ? Infinity : maxTries };
  }
  const mustSay = entryPoint === "wrap" || hasCallOptions(policy);
  if (!mustSay || policy.until !== null || !hasRetryRules(policy)) return policy;
  return { ...policy, exceptions: policy.exceptions ?? [] };
}

/** Whether a policy has rules for retries, so that it has to say what it retries. */
function hasRetryRules(
  { maxTries, pause, giveup, budget, minRemaining }: PolicyScript,
): boolean {
  const isBounded = maxTries !== null && maxTries !== 1 && maxTries !== Infinity;
  const hasPause = pause !== null && pause !== 0;
  return isBounded || hasPause || giveup !== null || budget !== null ||
    minRemaining !== null;
}

/**
 * The number of microtasks in which a thenable settles is unspecified. So the order of a
 * settlement and an abort within one turn is tested with plain promises only. Work that was
 * begun before the execution cannot know the error of an attempt.
 */
function tidyAttempt(
  attempt: AttemptScript,
  number: number,
  aborts: AbortScript[],
): AttemptScript {
  const isOuter = typeof attempt.when === "object" && "at" in attempt.when;
  if (isOuter && attempt.ending === "again") {
    attempt = { ...attempt, ending: { raise: "A" } };
  }
  const isInTurn = aborts.some(({ from }) =>
    typeof from === "string" || ("by" in from && from.attempt === number)
  );
  return isInTurn || attempt.when === "sync" ? { ...attempt, form: "plain" } : attempt;
}
