// The mutants that no test can kill, since the library does the same with them, or that none
// should. One that is listed and does not survive makes `deno task mutants` fail.

/** Mutants that survive for one reason. */
export interface Equivalent {
  readonly why: string;
  /** For each file of src/, what they make of it: `original -> replacement`. */
  readonly mutants: Readonly<Record<string, readonly string[]>>;
}

export const equivalents: readonly Equivalent[] = [
  {
    why: "A short cut: the long way comes to the same, only later or with more work.",
    mutants: {
      engine: [
        "deadline === 0 -> true",
      ],
      execution: [
        "signal !== null || this.#task.signal !== null -> true",
        'attempt === this.#attempt && state.phase === "trying" && this.#unlisten === n... -> false',
        "!isPlain -> true",
        '"trying" -> ""',
        "ms === Infinity && this.#unlisten === null -> false",
        "this.#gate === null -> true",
      ],
      clock: [
        "isFaked() || read !== realNow -> true",
        "read !== realNow -> true",
        "!areTimersShared || isFaked() -> true",
        "isUnfaked && !isCloudflare() -> false",
      ],
      timer: [
        "clock === systemClock -> false",
        "{ const timer = setSystemTimer(ms, state.wakeAt, waker, state); if (timer !==... -> {}",
      ],
      turn: [
        "MessageChannel !== undefined && !isCloudflare() -> false",
        'globalThis.navigator?.userAgent === "Cloudflare-Workers" -> true',
        'setImmediate !== undefined && isGenuine(setImmediate, "setImmediate") -> false',
        '"setImmediate" -> ""',
      ],
      preview: [
        "drawn.slice(0, 1) -> drawn",
        "drawn.slice(-1) -> drawn",
        "-1 -> +1",
      ],
      retry_budget: [
        "slice <= this.#slice -> slice < this.#slice",
      ],
      shared_timers: [
        "previous === next -> true",
      ],
      timer_queue: [
        "timer.index > 0 -> timer.index >= 0",
      ],
    },
  },
  {
    why:
      "Done a second time, which changes nothing: an attempt that is cut already, or none; a state that is left; a timer that is cancelled at once.",
    mutants: {
      execution: [
        'state.phase === "trying" -> true',
        "isLimit -> true",
        "!isHere -> true",
        "ms > 0 -> true",
        "ms > 0 -> ms >= 0",
        "unlisten?.() -> unlisten()",
      ],
      clock: [
        "{ once: true } -> {}",
        "true -> false",
      ],
    },
  },
  {
    why:
      "Asked for the types alone: where it is `null` or missing, the program does not come.",
    mutants: {
      execution: [
        'next.phase === "done" -> true',
      ],
      clock: [
        "signal?.reason -> signal.reason",
      ],
      retry_after: [
        '"" -> "Stryker was here!"',
        '"" -> "Stryker was here!"',
      ],
      statistic: [
        "event?.type -> event.type",
      ],
      timer_queue: [
        "parent === undefined -> false",
      ],
      observe: [
        '"outcome" in event -> true',
      ],
    },
  },
  {
    why: "`undefined` in place of `undefined`, or of `false`.",
    mutants: {
      policy: [
        "{ return undefined; } -> {}",
      ],
      signal: [
        "{ return false; } -> {}",
      ],
      validate: [
        "{ return false; } -> {}",
      ],
    },
  },
  {
    why:
      "What nobody looks at: the state after an execution that has nobody to tell, and before one.",
    mutants: {
      execution: [
        '"" -> "Stryker was here!"',
        '{ ...UNBEGUN, phase: "done", reason: "success", outcome: { status: "fulfilled... -> {}',
        '"done" -> ""',
        '"success" -> ""',
        '{ status: "fulfilled", value: undefined } -> {}',
        '"fulfilled" -> ""',
      ],
    },
  },
  {
    why: "One in 10^6, once: a bound that is meant for timers without end.",
    mutants: {
      test_clock: ["-Infinity -> +Infinity"],
    },
  },
  {
    why: "No queue, and let go of as one that goes on.",
    mutants: {
      shared_timers: [
        '[] -> ["Stryker was here"]',
      ],
    },
  },
  {
    why: "No two timers have one sequence.",
    mutants: {
      timer_queue: [
        "one.sequence < other.sequence -> one.sequence <= other.sequence",
      ],
    },
  },
  {
    why: "How an engine writes native code: this one has a single space there.",
    mutants: {
      decorator: [
        "/^class\\b|\\[native code\\]\\s*\\}$/ -> /^class\\b|\\[native code\\]\\s\\}$/",
      ],
    },
  },
  {
    why:
      'Found by "TestClock.run() rejects at 10^6 timers in a row …", which is too slow to be played.',
    mutants: {
      test_clock: [
        "{ throw new Error( `Cannot move time as ${MOST_AT_ONE_INSTANT} timers in a ro... -> {}",
        "`Cannot move time as ${MOST_AT_ONE_INSTANT} timers in a row were due at ${tim... -> ``",
        '"something sets timers of 0 ms without end" -> ""',
        "timer.at > this.#firedAt -> true",
        "timer.at > this.#firedAt -> false",
        "timer.at > this.#firedAt -> timer.at <= this.#firedAt",
        "timer.at > this.#firedAt -> timer.at >= this.#firedAt",
        "this.#firedAtOnce + 1 -> this.#firedAtOnce - 1",
        "this.#firedAtOnce >= MOST_AT_ONE_INSTANT -> false",
        "this.#firedAtOnce >= MOST_AT_ONE_INSTANT -> this.#firedAtOnce > MOST_AT_ONE_INSTANT",
      ],
    },
  },
];
