// serverPause() by itself, and in a policy.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Backoff, type Failure } from "@asyncbackoff/asyncbackoff";
import {
  HttpError,
  serverPause,
  type ServerPauseOptions,
} from "@asyncbackoff/asyncbackoff/http";
import { preview } from "@asyncbackoff/asyncbackoff/pauses";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const answer = (headers: Record<string, string>) =>
  new HttpError(new Response(null, { status: 503, headers }));

const failureOf = (error: unknown, more: Partial<Failure> = {}): Failure => ({
  error,
  name: "load",
  attempt: 1,
  streak: 1,
  limit: null,
  duration: 0,
  elapsed: 0,
  remaining: Infinity,
  pauseBefore: 0,
  ...more,
});

const pauseAfter = (error: unknown, options: ServerPauseOptions, more?: Partial<Failure>) =>
  serverPause({ random: () => 0, otherwise: 50, ...options })(failureOf(error, more));

Deno.test("serverPause() is the longer of the server's wait and the own pause", () => {
  assertEquals(pauseAfter(answer({ "retry-after": "2" }), {}), 2000);
  assertEquals(pauseAfter(answer({ "retry-after": "2" }), { otherwise: 3000 }), 3000);
  for (const value of ["0", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"]) {
    assertEquals(pauseAfter(answer({ "retry-after": value }), {}), 50);
  }
  for (const error of [answer({}), new Error("down"), null, undefined, "down", 7]) {
    assertEquals(pauseAfter(error, {}), 50);
  }
});

Deno.test("serverPause() reads retry-after-ms first, then Retry-After, then the rate limit", () => {
  const headers = {
    "retry-after-ms": "1500.2",
    "retry-after": "2",
    "x-ratelimit-reset": "3",
  };
  assertEquals(pauseAfter(answer(headers), {}), 1501);
  assertEquals(pauseAfter(answer({ ...headers, "retry-after-ms": "soon" }), {}), 2000);
  assertEquals(pauseAfter(answer({ "x-ratelimit-reset": "3" }), {}), 3000);
  assertEquals(pauseAfter(answer({ ratelimit: '"a";r=0;t=4' }), {}), 4000);
  assertEquals(pauseAfter(answer({ ratelimit: '"a";r=1;t=4' }), {}), 50);
});

Deno.test("serverPause() counts a date from the answer's own Date", () => {
  const at = Date.UTC(2001, 0, 1);
  const headers = {
    date: new Date(at).toUTCString(),
    "retry-after": new Date(at + 7000).toUTCString(),
  };
  assertEquals(pauseAfter(answer(headers), {}), 7000);
  const soon = new Date(Date.now() + 60_000).toUTCString();
  const pause = pauseAfter(answer({ "retry-after": soon }), {});
  assert(pause > 50_000 && pause <= 60_000);
});

Deno.test("serverPause() reads the errors of other clients", () => {
  const headers = { "retry-after": "2" };
  for (
    const error of [{ headers }, { response: { headers } }, { response: answer(headers) }]
  ) {
    assertEquals(pauseAfter(error, {}), 2000);
  }
  const hostile = Object.defineProperty({}, "headers", {
    get: () => {
      throw new Error("hostile");
    },
  });
  for (const error of [{ headers: 7 }, { response: {} }, { headers: null }, hostile]) {
    assertEquals(pauseAfter(error, {}), 50);
  }
});

Deno.test("serverPause() spreads the server's wait upwards", () => {
  const error = answer({ "retry-after": "10" });
  const draws = [0, 0.5, 1];
  const pauses = (options: ServerPauseOptions) =>
    draws.map((draw) => pauseAfter(error, { ...options, random: () => draw }));
  assertEquals(pauses({}), [10_000, 11_000, 12_000]);
  assertEquals(pauses({ spread: 1 }), [10_000, 15_000, 20_000]);
  assertEquals(pauses({ spread: 0 }), [10_000, 10_000, 10_000]);
  assertEquals(pauses({ max: 11_000 }), [10_000, 10_500, 11_000]);
  const many = new Set(Array.from({ length: 50 }, () => serverPause()(failureOf(error))));
  assert(many.size > 40);
  assert([...many].every((pause) => pause >= 10_000 && pause <= 12_000));
  const second = () => 1;
  assertEquals(serverPause({ random: () => 0 })(failureOf(error), second), 12_000);
});

Deno.test("serverPause() throws the failure's own error beyond max and beyond what remains", () => {
  const error = answer({ "retry-after": "10" });
  const thrown = (options: ServerPauseOptions, more: Partial<Failure> = {}) => {
    try {
      return pauseAfter(error, options, more);
    } catch (reason) {
      assertStrictEquals(reason, error);
      return "thrown";
    }
  };
  assertEquals(thrown({ max: 10_000 }), 10_000);
  assertEquals(thrown({ max: 9999 }), "thrown");
  assertEquals(thrown({}, { remaining: 10_001 }), 10_000);
  assertEquals(thrown({}, { remaining: 10_000 }), "thrown");
  assertEquals(thrown({ otherwise: 20_000, max: 15_000 }), "thrown");
  assertEquals(thrown({ otherwise: 20_000 }, { remaining: 15_000 }), "thrown");
});

Deno.test("serverPause() ends an execution at once with the reason giveup", async () => {
  const clock = new TestClock();
  const error = answer({ "retry-after": "10" });
  const backoff = new Backoff({
    deadline: 5000,
    exceptions: [HttpError],
    pause: serverPause(),
    clock,
  });
  const result = backoff.execute(() => Promise.reject(error)).catch((error) => error);
  assertStrictEquals(await clock.run(result), error);
  assertEquals([clock.now(), backoff.statistic.ends.giveup], [0, 1]);
});

Deno.test("serverPause() takes any form of pause, and grows by default", () => {
  const own = (otherwise: ServerPauseOptions["otherwise"], attempt: number) =>
    pauseAfter(null, { otherwise }, { attempt });
  assertEquals([1, 2, 3, 9].map((attempt) => own([10, 20, 30], attempt)), [10, 20, 30, 30]);
  assertEquals(own(({ attempt }) => 7 * attempt, 3), 21);
  assertEquals([1, 2, 3, 4, 99].map((attempt) => own(null, attempt)), [
    100,
    200,
    400,
    800,
    15_000,
  ]);
  assertEquals(preview(serverPause(), 3).pauses[0], { min: 100, mean: 150, max: 200 });
});

Deno.test("serverPause() refuses options that are wrong", () => {
  const wrong: [unknown, string][] = [
    [5, "the options must be an object, got 5"],
    [
      { spred: 1 },
      "unknown option 'spred', the options are otherwise, spread, max, random",
    ],
    [{ spread: "1" }, "option 'spread' must be a finite number >= 0, got \"1\""],
    [{ spread: -1 }, "option 'spread' must be a finite number >= 0, got -1"],
    [{ max: -1 }, "option 'max' must be a number of milliseconds >= 0, got -1"],
    [
      { otherwise: [] },
      "option 'otherwise' must be a finite number of milliseconds >= 0, a",
    ],
    [{ otherwise: [1, -1] }, "got -1"],
    [{ otherwise: "1s" }, 'got "1s"'],
    [{ otherwise: NaN }, "got NaN"],
    [{ random: 0.5 }, "option 'random' must be a function, got 0.5"],
    [failureOf(new Error("down")), "it must be called before it is the option 'pause'"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => serverPause(options as ServerPauseOptions), Error, message);
  }
});
