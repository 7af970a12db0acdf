/**
 * Worlds to begin with, and a policy for each. To add one, add an entry.
 *
 * @module
 */

/** A world to begin with. */
export interface Preset {
  readonly name: string;
  /** The point of the preset, in a sentence. */
  readonly about: string;
  readonly policy: string;
  readonly world: string;
  /** The number of the execution that is drawn, from 1. */
  readonly execution: number;
}

/** The presets by their key in the URL. The first one is shown at first. */
export const PRESETS = {
  flaky: {
    name: "A flaky server",
    about: "A quarter of the calls fail, and one in twenty-five hangs.",
    policy: `new Backoff({
  attemptTimeout: 500,
  deadline: 3000,
  pause: exponential({ initial: 50, max: 1000 }),
  exceptions: "all",
})`,
    world: `{
  executions: 400,
  interval: 25,
  latency: lognormal({ median: 80, p99: 400 }),
  failureRate: 0.25,
  hangRate: 0.04,
}`,
    execution: 21,
  },
  outage: {
    name: "An outage of ten seconds",
    about:
      "Every call fails from second 5 to second 15. See the load with and without a budget.",
    policy: `new Backoff({
  attemptTimeout: 1000,
  deadline: 20_000,
  pause: exponential({ initial: 100, max: 2000 }),
  exceptions: "all",
})`,
    world: `{
  executions: 400,
  interval: 50,
  latency: lognormal({ median: 60, p99: 300 }),
  outages: [{ from: 5000, to: 15_000 }],
}`,
    execution: 230,
  },
  tail: {
    name: "A slow tail",
    about:
      "One call in a hundred takes longer than two seconds. A timeout and a retry cut the tail.",
    policy: `new Backoff({
  attemptTimeout: 600,
  deadline: 3000,
  maxTries: 3,
  exceptions: "all",
})`,
    world: `{
  executions: 500,
  interval: 20,
  latency: lognormal({ median: 120, p99: 2000 }),
  seed: 11,
}`,
    execution: 12,
  },
  limits: {
    name: "Rate limits with Retry-After",
    about: "The server answers ten calls a second, and tells the others when to come back.",
    policy: `new Backoff({
  deadline: 10_000,
  pause: ({ error }) => error.retryAfter ?? 500,
  exceptions: (error) => error.status === 429,
})`,
    world: `{
  clients: 30,
  executions: 2,
  interval: 2000,
  latency: 40,
  rateLimit: { calls: 10, window: 1000 },
}`,
    execution: 25,
  },
  hung: {
    name: "A hung call",
    about:
      "The first call never answers. The third one answers within the grace of its timeout.",
    policy: `new Backoff({
  attemptTimeout: 800,
  deadline: 4000,
  grace: 200,
  pause: 100,
  exceptions: "all",
})`,
    world: `{
  script: [
    { latency: Infinity, ignoresSignal: true },
    { latency: 900, error: new TypeError("reset"), ignoresSignal: true },
    { latency: 900, value: "an answer", ignoresSignal: true },
  ],
}`,
    execution: 1,
  },
  ties: {
    name: "Ties",
    about:
      "The first answer arrives in the same millisecond as the timeout. The limit wins.",
    policy: `new Backoff({
  attemptTimeout: 300,
  deadline: 1000,
  pause: [50, 50, 300],
  exceptions: "all",
})`,
    world: `{
  script: [
    { latency: 300, value: "too late" },
    { latency: 299, error: new TypeError("in time, but it fails") },
    { latency: 300, ignoresSignal: true },
    { latency: 1 },
  ],
}`,
    execution: 1,
  },
  overload: {
    name: "An overloaded server",
    about:
      "The server can do 30 calls a second. From second 4 to 8, twice as many come. Retries of timeouts keep its queue long.",
    policy: `new Backoff({
  attemptTimeout: 500,
  maxTries: 4,
  pause: exponential({ initial: 100, max: 1000 }),
  exceptions: [],
})`,
    world: `{
  clients: 20,
  rate: (at) => at > 4000 && at < 8000 ? 3 : 1,
  maxRate: 3,
  capacity: 30,
  latency: 20,
  end: 24_000,
}`,
    execution: 120,
  },
} as const satisfies Record<string, Preset>;

/** The key of a preset. */
export type PresetKey = keyof typeof PRESETS;
