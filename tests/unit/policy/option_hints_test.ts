// Hints for options that are unknown, and for values in place of the options.

import { assertEquals, assertThrows } from "@std/assert";
import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  Backoff,
  type BackoffOptions,
} from "@asyncbackoff/asyncbackoff";

/** Options as a caller without types may give them. */
const untyped = (options: unknown) => options as BackoffOptions;

/** The message with which options are refused. */
const messageOf = (options: unknown): string =>
  assertThrows(() => new Backoff(untyped(options)), TypeError).message;

const known =
  "the options are attemptTimeout, deadline, pause, minRemaining, exceptions, " +
  "until, maxTries, giveup, budget, retryExhausted, idleTimeout, " +
  "resetAfter, grace, signal, observe, clock, name";

const unknownKeys: [key: string, value: unknown, hint: string][] = [
  // Counts of attempts, and of retries.
  ["retries", 3, "did you mean 'maxTries: 4' (the first attempt counts)?"],
  ["maxRetries", 0, "did you mean 'maxTries: 1' (the first attempt counts)?"],
  ["max_retries", 3, "did you mean 'maxTries: 4' (the first attempt counts)?"],
  ["retries", Infinity, "did you mean 'maxTries: Infinity' (the first attempt counts)?"],
  ["retries", "3", "did you mean 'maxTries'?"],
  ["retries", -1, "did you mean 'maxTries'?"],
  ["retries", undefined, "did you mean 'maxTries'?"],
  ["attempts", 3, "did you mean 'maxTries: 3' (the first attempt counts)?"],
  ["maxAttempts", 3, "did you mean 'maxTries: 3' (the first attempt counts)?"],
  // Names that differ in case or separators only.
  ["maxtries", 3, "did you mean 'maxTries'?"],
  ["attempttimeout", 100, "did you mean 'attemptTimeout'?"],
  ["attempt_timeout", 100, "did you mean 'attemptTimeout'?"],
  ["Deadline", 100, "did you mean 'deadline'?"],
  ["deadline ", 100, "did you mean 'deadline'?"],
  ["giveUp", () => true, "did you mean 'giveup'?"],
  // Names in other libraries.
  ["timeout", 100, "did you mean 'attemptTimeout'?"],
  ["delay", 100, "did you mean 'pause'?"],
  ["minTimeout", 100, "did you mean 'pause'?"],
  ["interval", 100, "did you mean 'pause'?"],
  ["maxElapsedTime", 100, "did you mean 'deadline'?"],
  ["retryOn", [Error], "did you mean 'exceptions'?"],
  ["stallTimeout", 100, "did you mean 'idleTimeout'?"],
  ["inactivity_timeout", 100, "did you mean 'idleTimeout'?"],
  ["heartbeatTimeout", 100, "did you mean 'idleTimeout'?"],
  ["silenceTimeout", 100, "did you mean 'idleTimeout'?"],
  ["gracePeriod", 100, "did you mean 'grace'?"],
  ["abortSignal", null, "did you mean 'signal'?"],
  ["onRetry", () => {}, "did you mean 'observe'?"],
  ["shouldRetry", () => true, "did you mean 'giveup', which returns true to stop?"],
  ["retryBudget", null, "did you mean 'budget'?"],
  ["tokenBucket", null, "did you mean 'budget'?"],
  ["retryThrottling", { maxTokens: 10 }, "did you mean 'budget'?"],
  // Options of helpers.
  ["factor", 3, "did you mean 'pause: exponential({ factor: 3 })'?"],
  ["initial", 100, "did you mean 'pause: exponential({ initial: 100 })'?"],
  ["jitter", "full", `did you mean 'pause: exponential({ jitter: "full" })'?`],
  ["jitter", true, "did you mean 'pause: exponential({ jitter: true })'?"],
  ["max", 1000, "did you mean 'pause: exponential({ max: 1000 })'?"],
  ["min", 10, "did you mean 'pause: exponential({ min: 10 })'?"],
  [
    "random",
    Math.random,
    "did you mean 'pause: exponential({ random: function random })'?",
  ],
  ["step", 50, "did you mean 'pause: linear({ step: 50 })'?"],
  ["window", 1000, "did you mean 'budget: new RetryBudget({ window: 1000 })'?"],
  ["retryRatio", 0.1, "did you mean 'budget: new RetryBudget({ retryRatio: 0.1 })'?"],
  [
    "minRetriesPerSecond",
    5,
    "did you mean 'budget: new RetryBudget({ minRetriesPerSecond: 5 })'?",
  ],
  ["maxTokens", 10, "did you mean 'budget: new TokenBudget({ maxTokens: 10 })'?"],
  ["tokenRatio", 0.1, "did you mean 'budget: new TokenBudget({ tokenRatio: 0.1 })'?"],
  // Anything else.
  ["cache", true, known],
  ["constructor", null, known],
  ["toString", null, known],
  ["__proto__", 100, known],
];

for (const [index, [key, value, hint]] of unknownKeys.entries()) {
  Deno.test(`Backoff() refuses the unknown option '${key}' with a hint (${index})`, () => {
    const message = messageOf({ maxTries: 2, [key]: value });
    assertEquals(message, `Cannot make a policy: unknown option '${key}', ${hint}`);
  });
}

const entries: [name: string, make: (options: BackoffOptions) => AsyncDecorator][] = [
  ["asyncbackoff()", (options) => asyncbackoff(options)],
  ["asyncbackoff() after positions", (options) => asyncbackoff(null, null, options)],
  ["asyncretry()", (options) => asyncretry(null, options)],
];

for (const [name, make] of entries) {
  Deno.test(`${name} refuses an unknown option with the hint of Backoff()`, () => {
    for (const options of [{ retries: 3, grace: 0 }, { factor: 3, grace: 0 }]) {
      const { message } = assertThrows(() => make(untyped(options)), TypeError);
      assertEquals(message, messageOf(options));
    }
  });
}

const notOptions: [what: string, value: unknown, got: string][] = [
  ["a number", 3, "3"],
  ["a string", "all", '"all"'],
  ["an array", [{ maxTries: 3 }], "an array of 1"],
  ["a symbol", Symbol("options"), "Symbol(options)"],
  // No key of these objects is an option, so a limit would be lost without notice.
  ["an error", new TypeError("an instance"), "an object (TypeError)"],
  ["a Map", new Map([["deadline", 100]]), "an object (Map)"],
  ["a promise", Promise.resolve({ deadline: 100 }), "an object (Promise)"],
];

for (const [what, value, got] of notOptions) {
  Deno.test(`Backoff() refuses ${what} in place of its options`, () => {
    const message = "Cannot make a policy: the options must be an object";
    assertEquals(messageOf(value), `${message}, got ${got}`);
  });
}

Deno.test("Backoff() refuses a function in place of its options, and says where functions go", () => {
  assertEquals(
    messageOf(function load() {}),
    "Cannot make a policy: the options must be an object, got function load; a function is " +
      "executed by 'execute', or wrapped by the decorator that is returned",
  );
});

Deno.test("Backoff() refuses a signal in place of its options, and says where signals go", () => {
  const { signal } = new AbortController(); // not in the table: a worker makes none at load
  assertEquals(
    messageOf(signal),
    "Cannot make a policy: the options must be an object, got an object (AbortSignal); did " +
      "you mean '{ signal }'?",
  );
});
