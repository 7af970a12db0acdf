// A consumer of the package. It is only compiled, with all settings that users have.

import {
  asyncbackoff,
  type AsyncDecorator,
  asyncretry,
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type Budget,
  type Clock,
  currentAttempt,
  currentAttemptOrNull,
  detached,
  type Exceptions,
  type ExecuteOptions,
  type Failure,
  type Limit,
  nonRetryable,
  type OuterAttempt,
  type Reason,
  ResultError,
  retry,
  type ScopeOptions,
  type Signal,
  sleep,
  type Statistic,
  systemClock,
  TimeoutError,
  within,
} from "@asyncbackoff/asyncbackoff";
import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
import {
  adaptiveThrottle,
  type BreakerEvent,
  type BreakerPhase,
  circuitBreaker,
  CircuitOpenError,
  type GuardDecorator,
  hedge,
  quantile,
} from "@asyncbackoff/asyncbackoff/guards";
import {
  checked,
  type Fetch,
  type FetchOptions,
  fetchWith,
  HttpError,
  isNetworkError,
  rateLimitReset,
  retryAfter,
  serverPause,
} from "@asyncbackoff/asyncbackoff/http";
import { exponential, preview, type Spread } from "@asyncbackoff/asyncbackoff/pauses";
import {
  type ReadableLike,
  stream,
  type Streamed,
  type StreamFunction,
  type StreamOptions,
} from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;
const same = <A, B>(_: Equal<A, B>): void => {};

class Busy extends Error {}
declare const readable: ReadableLike<string>;
declare const iterable: AsyncIterable<string>;

class Users {
  @asyncbackoff(1000, 5000, 100, Busy, TypeError, { maxTries: 5 })
  async load(id: number): Promise<string> {
    return await Promise.resolve(`user ${id}`);
  }

  @asyncretry(3)
  @circuitBreaker({ failureRatio: 0.5 })
  async save(user: string): Promise<number> {
    return await Promise.resolve(user.length);
  }

  @asyncretry(3, { deadline: 5000, exceptions: [Busy] })
  static async count(): Promise<number> {
    return await Promise.resolve(7);
  }
}
same<ReturnType<Users["load"]>, Promise<string>>(true);

function overloaded(value: string): Promise<string>;
function overloaded(value: number): Promise<number>;
function overloaded(value: string | number): Promise<string | number> {
  return Promise.resolve(value);
}
async function generic<T>(values: readonly T[]): Promise<T | undefined> {
  return await Promise.resolve(values[0]);
}

const decorate: AsyncDecorator = asyncbackoff({
  attemptTimeout: null,
  deadline: undefined,
});
same<typeof decorated, typeof overloaded>(true);
const decorated = decorate(overloaded);
const first = decorate(generic);
same<typeof first, typeof generic>(true);
const statistic: Statistic = decorate.statistic;

const options: BackoffOptions = {
  exceptions: [Busy, TypeError],
  pause: ({ attempt, pauseBefore }: Failure) => Math.min(1000, attempt * pauseBefore),
  giveup: (error) => error instanceof Busy,
  observe: (event: BackoffEvent) => {
    if (event.type === "failure") {
      same<typeof event.pauseAfter, number | null>(true);
      same<typeof event.failure.limit, Limit | null>(true);
      same<typeof event.failure.duration, number>(true);
      same<typeof event.failure.name, typeof event.name>(true);
    }
    if (event.type === "done") same<typeof event.reason, Reason>(true);
    if (event.type === "done" && event.outcome.status === "rejected") event.outcome.reason;
  },
  clock: { now: () => 0, sleep: (ms) => sleep(ms) },
};
const backoff = new Backoff(options);
const lastError = (): unknown => new Busy();
const clock: Clock = new TestClock(1000);

export async function main(signal: Signal): Promise<void> {
  const value = await backoff.execute(({ number }) => number, { signal });
  same<typeof value, number>(true);
  const text = await backoff.execute(async (attempt: Attempt) => {
    await sleep(1, { clock: systemClock, signal: attempt.signal });
    attempt.progress();
    attempt.progress({ part: 2 });
    same<typeof attempt.checkpoint, unknown>(true);
    return `${currentAttempt().remaining}, ${attempt.triesLeft}`;
  });
  same<typeof text, string>(true);
  try {
    await Users.count();
  } catch (error) {
    if (error instanceof TimeoutError) {
      same<typeof error.limit, "attempt" | "deadline" | "idle">(true);
    }
    if (error instanceof ResultError) same<typeof error.value, unknown>(true);
  }
  await clock.sleep(statistic.sumTime);
  const budget = new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 10 });
  const { observe } = new Timeline({ maxExecutions: 10 });
  const pause = exponential({ max: retryAfter("1"), min: 0, jitter: 0.5 });
  new Backoff({ exceptions: "all", budget, observe, pause });
  new Backoff({ exceptions: [], budget: new TokenBudget() });
  const sum: Spread = preview(exponential(), 5).sum;
  same<typeof sum.mean, number>(true);
  const own: Budget = { mayRetry: (_at, failure) => failure?.limit === null };
  const exceptions: Exceptions = (error) => error instanceof Busy;
  const patient = backoff.with({ budget: own, exceptions, pause: [1, 2], minRemaining: 0 });
  const once: ExecuteOptions = { observe, name: "load", until: (text) => text !== "" };
  same<ReturnType<typeof patient.execute<string>>, Promise<string>>(true);
  await patient.execute(() => text, once);
  const isText = (value: string | null): value is string => value !== null;
  const narrowed = await patient.execute(() => text as string | null, { until: isText });
  same<typeof narrowed, string>(true);
  const retried = await retry(({ signal }) => Promise.resolve(signal.aborted), {
    maxTries: 3,
    retryExhausted: false,
  });
  same<typeof retried, boolean>(true);
  const marked = nonRetryable(new Busy());
  same<typeof marked, Busy>(true);
  const breaker = circuitBreaker({
    consecutiveFailures: 3,
    openFor: exponential({ initial: 1000, min: 500 }),
    observe: (event: BreakerEvent) => {
      if (event.type === "changed") same<typeof event.to, BreakerPhase>(true);
    },
  });
  const guard: GuardDecorator = breaker;
  const guarded = guard(overloaded);
  same<typeof guarded, typeof overloaded>(true);
  const throttle = adaptiveThrottle({ isOverload: (error) => error instanceof Busy });
  const throttled = throttle(generic);
  const hedged = hedge({ after: quantile(0.95), budget })(throttled);
  same<typeof hedged, typeof generic>(true);
  const waits = (error: unknown) => error instanceof CircuitOpenError ? error.retryIn : 100;
  same<ReturnType<typeof waits>, number>(true);
  circuitBreaker({ failureRatio: 0.5, state: breaker.state });
  // @ts-expect-error: the required option is missing
  adaptiveThrottle({ k: 2 });
  const attempt = currentAttemptOrNull();
  same<typeof attempt, Attempt | null>(true);
  const scope: ScopeOptions = { signal: attempt?.signal, deadline: 5000, clock };
  const scoped = within(
    scope,
    () => within(marked && attempt ? attempt : scope, () => text),
  );
  same<typeof scoped, string>(true);
  const alone = detached(() => retry(() => 7, { maxTries: 1, within: attempt }));
  same<typeof alone, Promise<number>>(true);
  const nested = { within: attempt, detached: null, observe } satisfies ExecuteOptions;
  await backoff.execute(() => 7, nested);
  const outer = (event: BackoffEvent): OuterAttempt | undefined => event.outer;
  followAttempts();
  await new TestClock().run(Promise.resolve(outer), { maxTimers: 1000 });
  const fetchOptions: FetchOptions = { statuses: [503], idempotencyKey: true };
  const plain: Fetch = fetchWith({ deadline: 5000, pause: serverPause() }, fetchOptions);
  const ownPolicy: Fetch = fetchWith(backoff);
  const statusOf = fetchWith(null, { read: (response) => response.status as number });
  same<Awaited<ReturnType<typeof statusOf>>, number>(true);
  const ok = await checked(await plain("https://service.example/"), { maxBody: 100 });
  const thrown: unknown = lastError();
  if (thrown instanceof HttpError) same<typeof thrown.status, number>(true);
  const ms = rateLimitReset(ok.headers);
  same<typeof ms, number | null>(true);
  await retry(() => ownPolicy("https://service.example/"), { exceptions: isNetworkError });
  // @ts-expect-error: `fetchWith` decides what is retried
  fetchWith({ exceptions: "all" });
  const ofStream: StreamOptions = { replay: true, name: "feed", signal: null };
  const numbers = stream(backoff, async function* (attempt) {
    yield attempt.number;
    attempt.progress(await Promise.resolve("checkpoint"));
  }, ofStream);
  same<typeof numbers, AsyncGenerator<number, void, undefined>>(true);
  for await (const number of numbers) same<typeof number, number>(true);
  const words: StreamFunction<string> = (attempt) =>
    attempt.number === 1 ? readable : Promise.resolve(iterable);
  const some: Streamed<string> = stream({ exceptions: "all" }, words);
  for await (const word of some as AsyncIterable<string>) same<typeof word, string>(true);
  // @ts-expect-error: an array is not asynchronous
  stream(backoff, () => [1, 2]);
  // @ts-expect-error: a stream has no result to decide about
  stream(backoff, words, { until: () => true });
  // @ts-expect-error: an array of classes is needed
  new Backoff({ exceptions: Busy });
  // @ts-expect-error: there is no such option
  new Backoff({ retries: 3 });
  // @ts-expect-error: a duration must be a number
  asyncbackoff({ deadline: "5s" });
  // @ts-expect-error: the function must return a promise
  decorate(() => 7);
}
