// The tests of other libraries that fail on purpose when this package stands in the place of
// the library, with the reason. Each key is a reason, and each value lists titles of tests.

/** The titles of tests that fail, by the reason. */
export type Differences = Readonly<Record<string, readonly string[]>>;

export const differences: Readonly<Record<string, Differences>> = {
  "p-retry": {
    "a setTimeout that a test replaces by hand is real time, so it is not asked": [
      "factor affects exponential backoff",
      "maxTimeout caps retry delays",
      "randomize affects retry delays",
    ],
    "growing pauses do not shrink: a factor below 1 is refused": [
      "timeouts are incremental with factor",
      "minTimeout is respected even with small factor",
    ],
    "the messages about wrong options are this package's own": [
      "throws on negative retry count",
      "throws on non-number retries",
      "throws on NaN retries",
    ],
  },
  "p-timeout": {
    "a limit cannot be lifted from a call that has begun": [
      "`.clear()` method",
      "`.clear()` method can be called multiple times",
    ],
    "a number of the wrong value is a RangeError": [
      "throws when milliseconds is negative number",
      "throws when milliseconds is NaN",
    ],
  },
  "async-retry": {},
  "cockatiel": {
    "an abort ends the call at once with its own reason, whatever the function does": [
      "Policy uses cancellation token in use",
      "RetryPolicy stops retries if cancellation is requested",
      "TimeoutPolicy links parent cancellation token",
    ],
    "an attempt that settles by itself keeps its signal": [
      "TimeoutPolicy aborts on return by default",
    ],
  },
};

/**
 * Tests whose result depends on a race, with the library itself too, so it is not compared:
 * this one expects that a timer of 1 ms does not fire before the process exits.
 */
export const races: readonly string[] = ["RetryPolicy unrefs as requested"];
