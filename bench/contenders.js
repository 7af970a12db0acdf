// The contenders, each used in its fastest way: objects that can be shared by calls are
// made once, and a library's own limits are used if it has any. Case A has retries without
// limits, B adds an attempt timeout, C has both limits, 5 s per attempt and 10 s in all. In
// case D a call fails three times and then succeeds, without pauses. In case F it fails
// twice, with pauses of 10 ms and both limits.

import { asyncbackoff, Backoff } from "@asyncbackoff/asyncbackoff";
import { retry as attempt } from "@lifeomic/attempt";
import asyncRetry from "async-retry";
import {
  ConstantBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";
import { deadline as stdDeadline } from "deno-std/async/deadline.js";
import { retry as stdRetry } from "deno-std/async/retry.js";
import { Effect } from "effect";
import { backOff } from "exponential-backoff";
import pRetry from "p-retry";
import pTimeout from "p-timeout";
import { retry as tsRetry } from "ts-retry-promise";

// @std/async needs this function, which Node 20 does not have.
Promise.withResolvers ??= function () {
  let [resolve, reject] = [];
  const promise = new Promise((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
};

const ATTEMPT = 5000;
const DEADLINE = 10_000;

/** The loop of a careful engineer. */
async function loop(fn, wait, pause = 0, maxTries = 5) {
  for (let n = 1;; n++) {
    try {
      return await fn();
    } catch (error) {
      if (n >= maxTries) throw error;
      await new Promise((resolve) => wait(resolve, pause));
    }
  }
}

/**
 * The limit of a careful engineer: one timer for the nearer of both limits, which is
 * cleared.
 */
const limited = (fn, ms = Math.min(ATTEMPT, DEADLINE)) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("timeout")), ms);
    fn().then((value) => {
      clearTimeout(timer);
      resolve(value);
    }, (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });

const caller = new AbortController().signal;
const bySignal = (fn) =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(ATTEMPT)]);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const done = (settle) => (value) => {
      signal.removeEventListener("abort", abort);
      settle(value);
    };
    fn().then(done(resolve), done(reject));
  });

const every = { exceptions: [Error], maxTries: 5 };
const ours = {
  A: asyncbackoff(every),
  B: asyncbackoff({ ...every, attemptTimeout: ATTEMPT }),
  C: asyncbackoff({ ...every, attemptTimeout: ATTEMPT, deadline: DEADLINE }),
  F: new Backoff({ ...every, attemptTimeout: ATTEMPT, deadline: DEADLINE, pause: 10 }),
};

const once = { maxAttempts: 4, backoff: new ConstantBackoff(0) };
const attempts = () => timeout(ATTEMPT, TimeoutStrategy.Aggressive);
const cockatiel = {
  A: retry(handleAll, once),
  B: wrap(retry(handleAll, once), attempts()),
  C: wrap(
    timeout(DEADLINE, TimeoutStrategy.Aggressive),
    retry(handleAll, once),
    attempts(),
  ),
  F: wrap(
    timeout(DEADLINE, TimeoutStrategy.Aggressive),
    retry(handleAll, { ...once, backoff: new ConstantBackoff(10) }),
    attempts(),
  ),
};

const P = { retries: 4, minTimeout: 0, maxTimeout: 0, factor: 1 };
const pLimited = (fn) => () => pTimeout(fn(), { milliseconds: ATTEMPT });
const STD = { maxAttempts: 5, minTimeout: 0, maxTimeout: 1, multiplier: 1, jitter: 0 };
const TS = { retries: 4, delay: 0 };
const EXP = { numOfAttempts: 5, startingDelay: 0, delayFirstAttempt: false };

const effect = (fn) => Effect.retry(Effect.tryPromise(fn), { times: 4 });

/** Each case of a contender wraps a function. The result is called. */
export const contenders = {
  asyncbackoff: {
    A: (fn) => ours.A(fn),
    B: (fn) => ours.B(fn),
    C: (fn) => ours.C(fn),
    D: (fn) => ours.C(fn),
    F: (fn) => () => ours.F.execute(fn),
  },
  "hand-written loop": {
    A: (fn) => () => loop(fn, setTimeout),
    D: (fn) => () => loop(fn, setTimeout),
    F: (fn) => () => loop(fn, setTimeout, 10),
  },
  "hand-written loop, setImmediate": { D: (fn) => () => loop(fn, setImmediate) },
  "hand-written setTimeout, clearTimeout": {
    B: (fn) => () => limited(fn),
    C: (fn) => () => limited(fn),
  },
  "hand-written AbortSignal.any, timeout": { C: (fn) => () => bySignal(fn) },
  "p-retry, p-timeout": {
    A: (fn) => () => pRetry(fn, P),
    B: (fn) => () => pRetry(pLimited(fn), P),
    C: (fn) => () => pTimeout(pRetry(pLimited(fn), P), { milliseconds: DEADLINE }),
    D: (fn) => () => pRetry(fn, P),
    F: (fn) => () =>
      pTimeout(pRetry(pLimited(fn), { ...P, minTimeout: 10, maxTimeout: 10 }), {
        milliseconds: DEADLINE,
      }),
  },
  cockatiel: {
    A: (fn) => () => cockatiel.A.execute(fn),
    B: (fn) => () => cockatiel.B.execute(fn),
    C: (fn) => () => cockatiel.C.execute(fn),
    D: (fn) => () => cockatiel.A.execute(fn),
    F: (fn) => () => cockatiel.F.execute(fn),
  },
  "@lifeomic/attempt, p-timeout": {
    A: (fn) => () => attempt(fn, { delay: 0, maxAttempts: 5 }),
    B: (fn) => () => attempt(fn, { delay: 0, maxAttempts: 5, timeout: ATTEMPT }),
    C: (fn) => () =>
      pTimeout(attempt(fn, { delay: 0, maxAttempts: 5, timeout: ATTEMPT }), {
        milliseconds: DEADLINE,
      }),
    D: (fn) => () => attempt(fn, { delay: 0, maxAttempts: 5 }),
    F: (fn) => () =>
      pTimeout(attempt(fn, { delay: 10, maxAttempts: 5, timeout: ATTEMPT }), {
        milliseconds: DEADLINE,
      }),
  },
  "@std/async": {
    A: (fn) => () => stdRetry(fn, STD),
    B: (fn) => () => stdRetry(() => stdDeadline(fn(), ATTEMPT), STD),
    C: (fn) => () => stdDeadline(stdRetry(() => stdDeadline(fn(), ATTEMPT), STD), DEADLINE),
    D: (fn) => () => stdRetry(fn, STD),
    F: (fn) => () =>
      stdDeadline(
        stdRetry(() => stdDeadline(fn(), ATTEMPT), {
          ...STD,
          minTimeout: 10,
          maxTimeout: 10,
        }),
        DEADLINE,
      ),
  },
  effect: {
    A: (fn) => () => Effect.runPromise(effect(fn)),
    C: (fn) => {
      const once = Effect.timeout(Effect.tryPromise(fn), ATTEMPT);
      const all = Effect.timeout(Effect.retry(once, { times: 4 }), DEADLINE);
      return () => Effect.runPromise(all);
    },
    D: (fn) => () => Effect.runPromise(effect(fn)),
  },
  "ts-retry-promise, p-timeout": {
    A: (fn) => () => tsRetry(fn, { ...TS, timeout: "INFINITELY" }),
    C: (fn) => () => tsRetry(pLimited(fn), { ...TS, timeout: DEADLINE }),
    D: (fn) => () => tsRetry(fn, { ...TS, timeout: "INFINITELY" }),
  },
  "async-retry, p-timeout": {
    A: (fn) => () => asyncRetry(fn, P),
    C: (fn) => () => pTimeout(asyncRetry(pLimited(fn), P), { milliseconds: DEADLINE }),
    D: (fn) => () => asyncRetry(fn, P),
  },
  "exponential-backoff, p-timeout": {
    A: (fn) => () => backOff(fn, EXP),
    C: (fn) => () => pTimeout(backOff(pLimited(fn), EXP), { milliseconds: DEADLINE }),
    D: (fn) => () => backOff(fn, EXP),
  },
};
