// Trees of nested calls as plain data, and as arbitrary values. Times lie on a coarse grid, so
// that limits of several layers tie often.

import fc from "fast-check";

/** One call, and what it begins. */
export interface CallScript {
  attemptTimeout: number | null;
  deadline: number | null;
  grace: number;
  pause: number;
  maxTries: number;
  minRemaining: number | null;
  /** The instant at which a timer that was armed before everything aborts its signal. */
  abortAt: number | null;
  /** Milliseconds of the deadline of a `within` around the call. */
  scope: number | null;
  /** The behaviour of its attempts. The last one is repeated. */
  attempts: AttemptScript[];
}

/** One attempt. It begins calls, and ends whatever its signal says. */
export interface AttemptScript {
  /** Calls, and how long after its start it begins each. */
  calls: { after: number; call: CallScript }[];
  /** When it ends: so long after its start, when all of its calls have ended, or never. */
  when: number | "joined" | "never";
  how: "value" | "failure";
}

/** No call is begun after so many, because retries of retries are very many. */
export const MAX_CALLS = 150;

const MAX_DEPTH = 5;

const { constant, integer, oneof, record } = fc;

const times = (from: number, to: number) =>
  integer({ min: from, max: to }).map((each) => each * 10);

const often = <T>(value: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  oneof({ weight: 3, arbitrary: constant(value) }, { weight: 2, arbitrary: other });

/** A tree of calls of at most the given depth, with at most two calls in each attempt. */
function callOf(depth: number): fc.Arbitrary<CallScript> {
  return record({
    attemptTimeout: often<number | null>(null, times(1, 8)),
    deadline: oneof(
      { weight: 5, arbitrary: constant(null) },
      { weight: 5, arbitrary: times(1, 10) },
      { weight: 1, arbitrary: constant(0) },
    ),
    grace: often(0, oneof(times(1, 3), constant(Infinity))),
    pause: often(0, times(1, 3)),
    maxTries: integer({ min: 1, max: 3 }),
    minRemaining: oneof(
      { weight: 5, arbitrary: constant(null) },
      { weight: 1, arbitrary: times(0, 3) },
    ),
    abortAt: oneof(
      { weight: 6, arbitrary: constant(null) },
      { weight: 1, arbitrary: times(0, 12) },
    ),
    scope: oneof(
      { weight: 6, arbitrary: constant(null) },
      { weight: 1, arbitrary: times(0, 8) },
    ),
    attempts: fc.array(attemptOf(depth), { minLength: 1, maxLength: 2 }),
  });
}

function attemptOf(depth: number): fc.Arbitrary<AttemptScript> {
  const calls = depth === 1 ? constant<AttemptScript["calls"]>([]) : fc.array(
    record({ after: often(0, times(1, 6)), call: callOf(depth - 1) }),
    { minLength: depth === MAX_DEPTH ? 1 : 0, maxLength: 2 },
  );
  return record({
    calls,
    when: oneof<fc.Arbitrary<AttemptScript["when"]>[]>(
      times(0, 8),
      constant("joined"),
      constant("never"),
    ),
    how: fc.constantFrom("value", "failure"),
  });
}

/** Any tree. */
export const tree: fc.Arbitrary<CallScript> = callOf(MAX_DEPTH).map((root) => ({
  ...root,
  scope: null,
}));

/** The behaviour of an attempt. */
export function attemptAt({ attempts }: CallScript, number: number): AttemptScript {
  return attempts[Math.min(number, attempts.length) - 1] as AttemptScript;
}

/** Every call of a tree, each once. */
export function callsOf(root: CallScript): CallScript[] {
  const below = root.attempts.flatMap(({ calls }) =>
    calls.flatMap(({ call }) => callsOf(call))
  );
  return [root, ...below];
}
