// Random scripts. Times lie on a coarse grid, so that ties are frequent.

import fc from "fast-check";
import type {
  AbortFrom,
  AbortScript,
  AttemptScript,
  BudgetAnswer,
  ClassName,
  Ending,
  ErrorName,
  GiveupAnswer,
  PauseAnswer,
  Place,
  PolicyScript,
  Script,
  ValueName,
} from "./script.ts";
import { facts } from "./script.ts";

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
const ending: Arbitrary<Ending> = oneof(
  { weight: 3, arbitrary: record({ raise: error }) },
  { weight: 1, arbitrary: record({ return: value }) },
);

/** Ranges of times, in steps of the grid. The smaller they are, the more ties there are. */
interface Reach {
  readonly work: Arbitrary<number>;
  readonly instant: Arbitrary<number>;
  readonly timeout: Arbitrary<number | null>;
  readonly deadline: Arbitrary<number | null>;
  readonly grace: Arbitrary<number | null>;
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
};
const near: Reach = {
  work: times(0, 4),
  instant: times(1, 5),
  timeout: times(1, 2),
  deadline: option(times(3, 5)),
  grace: option(times(1, 3), { freq: 3 }),
};

const attemptIn = (reach: Reach): Arbitrary<AttemptScript> =>
  record({
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
);
const giveupAnswer = mostly<GiveupAnswer>(
  constant(false),
  constant("falsy"),
  constantFrom<GiveupAnswer[]>(true, "truthy"),
  constantFrom<GiveupAnswer[]>("throw", "promise"),
);

const budgetAnswer = mostly<BudgetAnswer>(
  constant(true),
  constant(false),
  constantFrom<BudgetAnswer[]>("throw", "promise"),
);

const policyIn = (reach: Reach): Arbitrary<PolicyScript> =>
  record({
    entryPoint: oneof(
      { weight: 3, arbitrary: constant<PolicyScript["entryPoint"]>("execute") },
      {
        weight: 2,
        arbitrary: constantFrom<PolicyScript["entryPoint"][]>(
          "wrap",
          "asyncbackoff",
          "positional",
          "asyncretry",
        ),
      },
    ),
    attemptTimeout: reach.timeout,
    deadline: reach.deadline,
    pause: oneof<Arbitrary<PolicyScript["pause"]>[]>(
      option(times(0, 4)),
      fc.array(pauseAnswer, { minLength: 1, maxLength: 3 }),
    ),
    exceptions: oneof<Arbitrary<PolicyScript["exceptions"]>[]>(
      constant("all"),
      constant(["A"]),
      option(fc.uniqueArray(constantFrom(...classNames), { maxLength: 3 })),
    ),
    maxTries: option(integer({ min: 1, max: 6 }), { freq: 2 }),
    giveup: option(fc.array(giveupAnswer, { minLength: 1, maxLength: 4 }), { freq: 2 }),
    budget: option(fc.array(budgetAnswer, { minLength: 1, maxLength: 4 })),
    grace: reach.grace,
    observer: mostly<PolicyScript["observer"]>(
      constant("quiet"),
      constant("none"),
      constant("throws"),
    ),
    clock: oneof(
      { weight: 4, arbitrary: constant<PolicyScript["clock"]>("after") },
      { weight: 1, arbitrary: constant<PolicyScript["clock"]>("sleep") },
    ),
  });

const places: Place[] = ["giveup", "budget", "pause", "function", "work", "listener"];
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
function tidy({ policy, attempts, aborts }: Script): Script {
  // After the attempts of its script, a function returns. With an attempt timeout of 0, it
  // is not called at all.
  const isEndless = policy.attemptTimeout === 0 && policy.maxTries === null;
  // A wrapped function has the policy's signal only.
  const hasOwn = policy.entryPoint === "execute";
  return {
    policy: isEndless ? { ...policy, maxTries: 3 } : policy,
    attempts: attempts.map((each, index) => tidyAttempt(each, index + 1, aborts)),
    aborts: hasOwn ? aborts : aborts.map((each) => ({ ...each, signal: "policy" })),
  };
}

/**
 * The number of microtasks in which a thenable settles is unspecified. So the order of a
 * settlement and an abort within one turn is tested with plain promises only.
 */
function tidyAttempt(
  attempt: AttemptScript,
  number: number,
  aborts: AbortScript[],
): AttemptScript {
  const isInTurn = aborts.some(({ from }) =>
    typeof from === "string" || ("by" in from && from.attempt === number)
  );
  return isInTurn || attempt.when === "sync" ? { ...attempt, form: "plain" } : attempt;
}
