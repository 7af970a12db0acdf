// Circuit breakers as users see them: under and over retries, with aborts and deadlines, with
// many calls in flight, and beside a model that remembers everything.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  asyncbackoff,
  asyncretry,
  Backoff,
  currentAttempt,
  TimeoutError,
} from "@asyncbackoff/asyncbackoff";
import { circuitBreaker, CircuitOpenError } from "@asyncbackoff/asyncbackoff/guards";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { seeded } from "../support/chance.ts";

const down = new Error("down");
const hang = () => new Promise<never>(() => {});

Deno.test("circuitBreaker() opens when a server hangs under an attempt timeout, though the function ignores its signal", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({ consecutiveFailures: 3, openFor: 1000, clock });
  let calls = 0;
  const load = asyncbackoff({
    attemptTimeout: 100,
    maxTries: 10,
    exceptions: "all",
    clock,
  })(
    breaker(() => {
      calls += 1;
      return hang();
    }),
  );
  const error = await clock.run(load().catch((error) => error));
  assertInstanceOf(error, CircuitOpenError); // "all" does not retry it
  assertEquals([calls, clock.now(), error.retryIn], [3, 300, 1000]);
  assertEquals(breaker.statistic.failed, 3);
});

Deno.test("circuitBreaker() counts a deadline for a failure, and a caller's abort for nothing", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({ consecutiveFailures: 2, openFor: 1000, clock });
  const load = breaker(hang);
  const controller = new AbortController();
  const aborted = new Backoff({ clock }).execute(load, { signal: controller.signal });
  controller.abort("stop");
  assertEquals(await aborted.catch((reason) => reason), "stop");
  const backoff = new Backoff({ deadline: 50, clock });
  await clock.run(assertRejects(() => backoff.execute(load), TimeoutError));
  const { failed, aborted: neutral } = breaker.statistic;
  assertEquals([failed, neutral, breaker.state.phase], [1, 1, "closed"]);
  await clock.run(assertRejects(() => backoff.execute(load), TimeoutError));
  assertEquals(breaker.state.phase, "open");
});

Deno.test("circuitBreaker() frees a trial when its attempt is aborted, and opens when it times out", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: 100, clock });
  const fail = breaker(() => Promise.reject(down));
  const load = breaker(hang);
  await fail().catch(() => {});
  await clock.advance(100);
  const controller = new AbortController();
  const aborted = new Backoff({ clock }).execute(load, { signal: controller.signal });
  await assertRejects(() => load(), CircuitOpenError);
  controller.abort("stop");
  await aborted.catch(() => {});
  assertEquals(breaker.state.phase, "half-open");
  const timed = new Backoff({ attemptTimeout: 10, maxTries: 1, exceptions: [], clock });
  await clock.run(assertRejects(() => timed.execute(load), TimeoutError));
  assertEquals([breaker.state.phase, clock.now()], ["open", 110]);
});

Deno.test("circuitBreaker() works in every order with retries", async () => {
  const orders: [name: string, calls: number, phase: string][] = [
    ["retries over it", 3, "open"], // each attempt counts
    ["retries under it", 6, "closed"], // each execution counts
    ["retries over and under it", 9, "open"],
  ];
  for (const [name, expected, phase] of orders) {
    const clock = new TestClock();
    const breaker = circuitBreaker({ consecutiveFailures: 3, openFor: 1000, clock });
    const retry = asyncretry(3, { pause: 10, clock });
    const numbers: number[] = [];
    const fail = async () => {
      numbers.push(currentAttempt().number);
      await Promise.reject(down);
    };
    const load = name === "retries over it"
      ? retry(breaker(fail))
      : name === "retries under it"
      ? breaker(retry(fail))
      : retry(breaker(retry(fail)));
    for (let call = 0; call < 2; call++) {
      await clock.run(load().catch(() => {}));
      if (name === "retries over and under it") break;
    }
    assertEquals([numbers.length, breaker.state.phase], [expected, phase], name);
    assertEquals(numbers.slice(0, 3), [1, 2, 3], name);
  }
});

Deno.test("circuitBreaker() keeps the deadline over it exact, whatever its state", async () => {
  const clock = new TestClock();
  const breaker = circuitBreaker({ consecutiveFailures: 1, openFor: 5000, clock });
  const load = asyncbackoff({
    deadline: 777,
    exceptions: [Error],
    pause: ({ error }) => error instanceof CircuitOpenError ? error.retryIn : 0,
    clock,
  })(breaker(() => Promise.reject(down)));
  const error = await clock.run(load().catch((error) => error));
  assertInstanceOf(error, CircuitOpenError); // the last failure's own error
  assertEquals(clock.now(), 777);
});

Deno.test("circuitBreaker() is one for all functions that it wraps", async () => {
  const breaker = circuitBreaker({ consecutiveFailures: 2 });
  const read = breaker(() => Promise.reject(down));
  const write = breaker(() => Promise.resolve("written"));
  await read().catch(() => {});
  await read().catch(() => {});
  await assertRejects(() => write(), CircuitOpenError);
  assertEquals(breaker.statistic.refused, 1);
});

Deno.test("circuitBreaker() counts 100,000 calls in flight exactly, and keeps nothing of them", async () => {
  const CALLS = 100_000;
  const breaker = circuitBreaker({ failureRatio: 0.5, minCalls: CALLS, openFor: 1000 });
  const ends: (() => void)[] = [];
  const load = breaker((index: number) =>
    new Promise<number>((resolve, reject) => {
      ends.push(() => index % 10 < 4 ? reject(down) : resolve(index));
    })
  );
  const calls = Array.from({ length: CALLS }, (_, index) => load(index));
  assertEquals([breaker.statistic.calls, ends.length], [CALLS, CALLS]);
  const length = JSON.stringify(breaker).length;
  ends.forEach((end) => end());
  const results = await Promise.allSettled(calls);
  const { succeeded, failed, late } = breaker.statistic;
  assertEquals([succeeded, failed, late], [60_000, 40_000, 0]);
  assertEquals(results.filter(({ status }) => status === "fulfilled").length, 60_000);
  assertEquals(breaker.state.phase, "closed");
  assert(JSON.stringify(breaker).length < length + 500);
});

Deno.test("circuitBreaker() opens once when 100,000 calls in flight fail together", async () => {
  const breaker = circuitBreaker({ consecutiveFailures: 100, openFor: 1e6, trials: 5 });
  const ends: (() => void)[] = [];
  const load = breaker(() => new Promise((_, reject) => ends.push(() => reject(down))));
  const calls = Array.from({ length: 100_000 }, () => load());
  ends.forEach((end) => end());
  await Promise.allSettled(calls);
  const { failed, late, opened } = breaker.statistic;
  assertEquals([failed, late, opened], [100, 99_900, 1]);
});

interface Rules {
  readonly failureRatio: number;
  readonly window: number;
  readonly minCalls: number;
  readonly consecutiveFailures: number;
  readonly trials: number;
  readonly openFor: number;
}

type Phase = "closed" | "open" | "half-open";

/** A circuit breaker that remembers every call, and looks at all of them each time. */
class Model {
  readonly #rules: Rules;
  #phase: Phase = "closed";
  #era = 0;
  #since = 0;
  #openings = 0;
  #ends: { at: number; failed: boolean }[] = [];
  #trials: { call: number; at: number; end: "pending" | "succeeded" | "freed" }[] = [];
  readonly #eras = new Map<number, number>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  #enter(phase: Phase, at: number) {
    this.#phase = phase;
    this.#era += 1;
    this.#since = at;
    this.#ends = [];
    this.#trials = [];
    if (phase === "open") this.#openings += 1;
    if (phase === "closed") this.#openings = 0;
  }

  /** Both timers that a breaker with timers would have. */
  #tick(now: number) {
    for (;;) {
      const openFor = this.#rules.openFor * this.#openings;
      const pending = this.#trials.filter(({ end }) => end === "pending");
      const due = this.#phase === "open"
        ? this.#since + openFor
        : Math.min(...pending.map(({ at }) => at + openFor));
      if (due > now) return;
      this.#enter(this.#phase === "open" ? "half-open" : "open", due);
    }
  }

  phaseAt(now: number) {
    this.#tick(now);
    return this.#phase;
  }

  begin(call: number, now: number): boolean {
    this.#tick(now);
    if (this.#phase === "open") return false;
    if (this.#phase === "half-open") {
      const taken = this.#trials.filter(({ end }) => end !== "freed").length;
      if (taken >= this.#rules.trials) return false;
      this.#trials.push({ call, at: now, end: "pending" });
    }
    this.#eras.set(call, this.#era);
    return true;
  }

  end(call: number, how: "succeeded" | "failed" | "aborted", now: number) {
    this.#tick(now);
    if (this.#eras.get(call) !== this.#era) return;
    const trial = this.#trials.find((each) => each.call === call);
    if (trial !== undefined) {
      if (how === "failed") return this.#enter("open", now);
      trial.end = how === "aborted" ? "freed" : "succeeded";
      const succeeded = this.#trials.filter(({ end }) => end === "succeeded").length;
      if (succeeded >= this.#rules.trials) this.#enter("closed", now);
      return;
    }
    if (how === "aborted") return;
    this.#ends.push({ at: now, failed: how === "failed" });
    const slice = (at: number) => Math.floor(at / (this.#rules.window / 10));
    const inWindow = this.#ends.filter(({ at }) => slice(at) > slice(now) - 10);
    const failures = inWindow.filter(({ failed }) => failed).length;
    const latest = this.#ends.slice(-this.#rules.consecutiveFailures);
    const isRow = latest.length === this.#rules.consecutiveFailures &&
      latest.every(({ failed }) => failed);
    const isShare = inWindow.length >= this.#rules.minCalls &&
      failures / inWindow.length >= this.#rules.failureRatio;
    if (isRow || isShare) this.#enter("open", now);
  }
}

Deno.test("circuitBreaker() agrees with a model that remembers everything, on many random runs", async () => {
  const random = seeded(21);
  const upTo = (max: number) => Math.floor(random() * max);
  const seen = { open: 0, closed: 0, "half-open": 0, isolated: 0 };
  for (let run = 0; run < 150; run++) {
    const rules = {
      failureRatio: (1 + upTo(10)) / 10,
      window: 10 * (1 + upTo(20)),
      minCalls: 2 + upTo(6),
      consecutiveFailures: 2 + upTo(5),
      trials: 1 + upTo(3),
      openFor: 5 + upTo(40),
    };
    const clock = { at: 0, now: () => clock.at, sleep: hang };
    const model = new Model(rules);
    const options = { ...rules, openFor: ({ attempt = 1 }) => rules.openFor * attempt };
    let breaker = circuitBreaker({ ...options, clock });
    const pending = new Map<number, (how: "succeeded" | "failed" | "aborted") => void>();
    const failRate = random();
    for (let event = 0; event < 200; event++) {
      clock.at += random() < 0.1 ? upTo(60) : upTo(4);
      const where = `run ${run}, event ${event}, at ${clock.at}`;
      if (random() < 0.5) {
        const result = breaker(() =>
          new Promise<void>((resolve, reject) =>
            pending.set(event, (how) => {
              if (how === "succeeded") resolve();
              else reject(how === "failed" ? down : new DOMException("stop", "AbortError"));
            })
          )
        )();
        result.catch(() => {});
        const isAdmitted = model.begin(event, clock.at);
        assertEquals(pending.has(event), isAdmitted, where);
        if (!isAdmitted) await assertRejects(() => result, CircuitOpenError);
      } else if (pending.size > 0) {
        const [call, end] = [...pending][upTo(pending.size)] ?? [0, () => {}];
        const how = random() < 0.1
          ? "aborted"
          : random() < failRate
          ? "failed"
          : "succeeded";
        pending.delete(call);
        end(how);
        for (let turn = 0; turn < 5; turn++) await null;
        model.end(call, how, clock.at);
      }
      assertEquals(breaker.state.phase, model.phaseAt(clock.at), where);
      seen[breaker.state.phase] += 1;
      // Out to JSON and in again, where no call is pending that would end at the former breaker.
      if (pending.size === 0) {
        const state = JSON.parse(JSON.stringify(breaker));
        breaker = circuitBreaker({ ...options, clock, state });
        assertStrictEquals(breaker.statistic.calls, 0);
      }
    }
  }
  assert(seen.open > 1000 && seen["half-open"] > 1000 && seen.closed > 1000);
});
