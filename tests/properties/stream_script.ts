// Random scripts of a stream: a policy, producers, a consumer, and what comes from outside. Times
// lie on a coarse grid, so that ties are frequent.

import fc from "fast-check";

const { array, boolean, constant, constantFrom, integer, oneof, option, record } = fc;

/** A part of the wait for an item, and the report at its end. */
export interface WaitScript {
  /** `Infinity` if it never ends. */
  readonly ms: number;
  readonly report: "none" | "progress" | "checkpoint";
}

/** One step of a producer. */
export interface StepScript {
  /** Whether a checkpoint is given when the consumer comes back. */
  readonly covers: boolean;
  readonly waits: readonly WaitScript[];
  readonly then: "item" | "fail" | "end";
}

export interface AttemptScript {
  readonly steps: readonly StepScript[];
  /** Whether its waits end when the signal is aborted. */
  readonly heedsSignal: boolean;
  /** Milliseconds of its cleanup after its signal was aborted. Off the grid. */
  readonly cleanup: number;
}

export interface StreamScript {
  readonly attemptTimeout: number;
  readonly idleTimeout: number;
  readonly deadline: number;
  readonly grace: number;
  readonly resetAfter: number;
  readonly maxTries: number;
  readonly pause: number;
  readonly replay: boolean;
  readonly attempts: readonly AttemptScript[];
  /** For how long the consumer holds each item. */
  readonly holds: readonly number[];
  /** The item after which the consumer stops, and how. */
  readonly stops: { readonly after: number; readonly by: "break" | "throw" } | null;
  /** The instant at which the caller's signal is aborted. */
  readonly abortAt: number;
  /** The instant at which somebody else calls `return`. */
  readonly returnAt: number;
}

const times = (min: number, max: number) => integer({ min, max }).map((each) => each * 10);

const rarely = (arbitrary: fc.Arbitrary<number>) =>
  oneof(
    { weight: 3, arbitrary: constant(Infinity) },
    { weight: 2, arbitrary },
  );

const wait = record<WaitScript>({
  ms: oneof(
    { weight: 8, arbitrary: times(0, 4) },
    { weight: 1, arbitrary: constant(Infinity) },
  ),
  report: constantFrom("none", "none", "progress", "checkpoint"),
});

const step = record<StepScript>({
  covers: boolean(),
  waits: array(wait, { minLength: 1, maxLength: 2 }),
  then: constantFrom("item", "item", "item", "item", "fail", "end"),
});

const attempt = record<AttemptScript>({
  steps: array(step, { maxLength: 5 }),
  heedsSignal: boolean(),
  cleanup: constantFrom(0, 3.5, 17.25),
});

export const streamScript: fc.Arbitrary<StreamScript> = record<StreamScript>({
  attemptTimeout: rarely(times(1, 6)),
  idleTimeout: rarely(times(1, 5)),
  deadline: rarely(times(3, 30)),
  grace: oneof(
    { weight: 3, arbitrary: constant(0) },
    { weight: 3, arbitrary: times(1, 4) },
    { weight: 1, arbitrary: constant(Infinity) },
  ),
  resetAfter: rarely(times(0, 5)),
  maxTries: integer({ min: 1, max: 4 }),
  pause: times(0, 3),
  replay: boolean(),
  attempts: array(attempt, { minLength: 1, maxLength: 4 }),
  holds: array(times(0, 6), { maxLength: 8 }),
  stops: option(
    record<{ after: number; by: "break" | "throw" }>({
      after: integer({ min: 1, max: 5 }),
      by: constantFrom("break", "throw"),
    }),
    { nil: null },
  ),
  abortAt: rarely(times(1, 20)),
  returnAt: rarely(times(1, 20)),
});
