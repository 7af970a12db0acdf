// retryAfter() by itself, and in the recipe for a fetch.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Backoff,
  type BackoffOptions,
  exponential,
  type Failure,
} from "@asyncbackoff/asyncbackoff";
import { retryAfter } from "@asyncbackoff/asyncbackoff/http";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
const THEN = Date.UTC(1994, 10, 6, 8, 49, 37);
const DAY = 86_400_000;

Deno.test("retryAfter() returns milliseconds when the value is seconds", () => {
  assertEquals(retryAfter("0", THEN), 0);
  assertEquals(retryAfter("1", THEN), 1000);
  assertEquals(retryAfter("120", THEN), 120_000);
  assertEquals(retryAfter("007", THEN), 7000);
  assertEquals(retryAfter("31536000", THEN), 31_536_000_000);
});

Deno.test("retryAfter() returns the largest number when the seconds are too many for one", () => {
  for (const length of [308, 309, 400, 100_000]) {
    assertEquals(
      retryAfter("9".repeat(length), THEN),
      Number.MAX_VALUE,
      `${length} digits`,
    );
  }
});

Deno.test("retryAfter() returns the time until a date in any of the three forms", () => {
  const forms = [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
  ];
  for (const form of forms) {
    assertEquals(retryAfter(form, THEN - 1500), 1500, form);
    assertEquals(retryAfter(form, THEN - 400 * DAY), 400 * DAY, form);
    assertEquals(retryAfter(form, THEN), 0, form);
  }
});

Deno.test("retryAfter() returns 0 when the date has passed", () => {
  assertEquals(retryAfter("Sun, 06 Nov 1994 08:49:37 GMT", THEN + 1), 0);
  assertEquals(retryAfter("Sun Nov  6 08:49:37 1994", THEN + 1000 * DAY), 0);
  assertEquals(retryAfter("Mon, 01 Jan 0001 00:00:00 GMT", THEN), 0);
});

Deno.test("retryAfter() accepts every month, and both ways to write a day", () => {
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  for (const [index, month] of months.entries()) {
    const at = Date.UTC(2031, index, 7, 23, 59, 59);
    const now = at - 5000;
    assertEquals(retryAfter(`Tue, 07 ${month} 2031 23:59:59 GMT`, now), 5000, month);
    assertEquals(retryAfter(`Tuesday, 07-${month}-31 23:59:59 GMT`, now), 5000, month);
    assertEquals(retryAfter(`Tue ${month}  7 23:59:59 2031`, now), 5000, month);
    assertEquals(retryAfter(`Tue ${month} 07 23:59:59 2031`, now), 5000, month);
  }
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const long = ["Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"];
  for (const day of days) {
    assertEquals(retryAfter(`${day}, 06 Nov 1994 08:49:37 GMT`, THEN - 1), 1, day);
  }
  for (const day of long) {
    assertEquals(retryAfter(`${day}day, 06-Nov-94 08:49:37 GMT`, THEN - 1), 1, day);
  }
});

Deno.test("retryAfter() accepts the 29th of February in leap years only", () => {
  const at = Date.UTC(2028, 1, 29);
  assertEquals(retryAfter("Tue, 29 Feb 2028 00:00:00 GMT", at - 1000), 1000);
  assertEquals(retryAfter("Thu, 29 Feb 2029 00:00:00 GMT", at), null);
  assertEquals(retryAfter("Mon, 29 Feb 2100 00:00:00 GMT", at), null);
});

Deno.test("retryAfter() accepts the 29th of February of the year that two digits mean", () => {
  const leap = (digits: string) => `Sunday, 29-Feb-${digits} 00:00:00 GMT`;
  assertEquals(retryAfter(leap("00"), Date.UTC(2020, 0, 1)), 0); // 2000, not 2100
  assertEquals(retryAfter(leap("04"), Date.UTC(2054, 0, 1)), 0); // 2004: 2104 is too far
  assertEquals(retryAfter(leap("05"), Date.UTC(2004, 0, 1)), null);
  assertEquals(retryAfter(leap("00"), Date.UTC(1690, 0, 1)), null); // 1700, not 1600
});

Deno.test("retryAfter() treats a leap second as the second after it", () => {
  const at = Date.UTC(2017, 0, 1);
  assertEquals(retryAfter("Sat, 31 Dec 2016 23:59:60 GMT", at - 250), 250);
});

Deno.test("retryAfter() reads two digits as the latest year that is at most 50 years ahead", () => {
  const at = (year: number, digits: string) =>
    retryAfter(`Sunday, 01-Jan-${digits} 00:00:10 GMT`, Date.UTC(year, 0, 1));
  const years = (from: number, to: number) => Date.UTC(to, 0, 1) - Date.UTC(from, 0, 1);
  assertEquals(at(1994, "94"), 10_000);
  assertEquals(at(1994, "93"), 0); // 1993
  assertEquals(at(1999, "00"), years(1999, 2000) + 10_000);
  assertEquals(at(2020, "69"), years(2020, 2069) + 10_000);
  assertEquals(at(2020, "70"), 0); // 2070 is 50 years and 10 s ahead: 1970
  assertEquals(at(2020, "71"), 0); // 1971
  assertEquals(at(2099, "05"), years(2099, 2105) + 10_000);
  const exactly = retryAfter("Sunday, 01-Jan-70 00:00:00 GMT", Date.UTC(2020, 0, 1));
  assertEquals(exactly, years(2020, 2070));
});

const refused: unknown[] = [
  null,
  undefined,
  120,
  ["120"],
  "",
  " ",
  "+120",
  "-1",
  "1.5.5",
  ".5",
  "1e3",
  "0x10",
  "1_000",
  "1,000",
  "Infinity",
  "NaN",
  "soon",
  "120s",
  "٣", // a digit, but not one of ASCII
  "Sun, 06 Nov 1994 08:49:37",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Sun, 06 Nov 94 08:49:37 GMT",
  "Sun, 06-Nov-1994 08:49:37 GMT",
  "Sunday, 06 Nov 1994 08:49:37 GMT",
  "Sun, 06-Nov-94 08:49:37 GMT",
  "Sun Nov  6 08:49:37 1994 GMT",
  "Sun, 06 Nov 1994 08:49 GMT",
  "Sun, 06 Nov 1994  08:49:37 GMT",
  "Sun, 06 Now 1994 08:49:37 GMT",
  "Day, 06 Nov 1994 08:49:37 GMT",
  "Sun, 00 Nov 1994 08:49:37 GMT",
  "Sun, 31 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:37 GMT",
  "Sun, 06 Nov 1994 08:49:61 GMT",
  "Sunday, 31-Feb-94 08:49:37 GMT",
  "Sun Nov 31 08:49:37 1994",
  "Sun, 06 Nov 1994 08:49:37 GMT, 120",
  "1994-11-06T08:49:37Z",
  "784111777000 ms",
];

Deno.test("retryAfter() understands what servers send beside the standard", () => {
  const date = Date.UTC(1994, 10, 6, 8, 49, 37) - THEN;
  const understood: [string, number][] = [
    ["1.5", 1500],
    ["1.", 1000],
    ["0.0001", 1],
    ["2.0005", 2001],
    ["1.0010", 1001],
    ["0", 0],
    [" 120 ", 120_000],
    ["120, 120", 120_000],
    ["120,120.0", 120_000],
    ["Sun, 06 Nov 1994 08:49:37 UTC", date],
    ["Sun, 06 Nov 1994 08:49:37 +0000", date],
    ["06 Nov 1994 08:49:37 GMT", date],
    ["Sun, 6 Nov 1994 8:49:37 GMT", date],
    ["Sun Nov 6 08:49:37 1994", date],
    ["\tSun, 06 Nov 1994 08:49:37 GMT\n", date],
    ["Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", date],
    ["Sun, 06 Nov 1994 08:49:37 GMT, Sunday, 06-Nov-94 08:49:37 GMT", date],
  ];
  for (const [value, ms] of understood) assertEquals(retryAfter(value, THEN), ms, value);
});

Deno.test("retryAfter() returns null when two values differ", () => {
  for (const value of ["120, 60", "120, Sun, 06 Nov 1994 08:49:37 GMT", "1,000", "120,"]) {
    assertEquals(retryAfter(value, THEN), null, value);
  }
});

Deno.test("retryAfter() returns null when the value is absent or anything else", () => {
  for (const value of refused) {
    assertEquals(retryAfter(value as string, THEN), null, JSON.stringify(value));
  }
});

Deno.test("retryAfter() agrees with the dates that the platform writes, at many instants", () => {
  const now = Date.UTC(1999, 5, 5);
  for (let index = 0; index < 2000; index++) {
    const at = now + index * 37 * DAY + index * 12_345_000;
    assertEquals(retryAfter(new Date(at).toUTCString(), now), at - now);
  }
});

Deno.test("retryAfter() takes linear time when the input is hostile", () => {
  const hostile = (length: number) => [
    "1".repeat(length) + "x",
    " ".repeat(length) + "1",
    "Sun, ".repeat(length / 5),
    "Sun, 06 Nov 1994 08:49:37 GMT".padEnd(length),
    "-".repeat(length),
  ];
  const timeOf = (values: readonly string[]) => {
    const start = performance.now();
    for (const value of values) assertEquals(retryAfter(value, THEN), null);
    return performance.now() - start;
  };
  const [short, long] = [hostile(1e5), hostile(1e7)];
  timeOf(short);
  // A hundred times as long: a quadratic search would take minutes.
  assert(timeOf(long) < 2000);
});

Deno.test("retryAfter() measures dates against Date.now() when now is absent", () => {
  const at = new Date(Date.now() + 3_600_000).toUTCString();
  const ms = retryAfter(at) ?? 0;
  assert(ms > 3_590_000 && ms <= 3_600_000);
});

Deno.test("retryAfter() throws when now is not an instant", () => {
  const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [NaN, RangeError, "NaN"],
    [Infinity, RangeError, "Infinity"],
    [1e300, RangeError, "1e+300"],
    ["0", TypeError, '"0"'],
    [new Date(), TypeError, "an object (Date)"],
    [null, TypeError, "null"],
  ];
  for (const [now, errorClass, got] of wrong) {
    const { message } = assertThrows(() => retryAfter("1", now as number), errorClass);
    const rule = "'now' must be milliseconds since 1970";
    assertEquals(message, `Cannot read Retry-After: ${rule}, got ${got}`);
  }
});

// The recipe, with a fetch that is played on a test clock.

class HttpError extends Error {
  override name = "HttpError";
  readonly retryAfter: number | null;
  constructor(response: Response, now: number) {
    super(`status ${response.status}`);
    this.retryAfter = retryAfter(response.headers.get("retry-after"), now);
  }
}

const isRetryable = (status: number) => status === 429 || status === 503;

/** A client that waits as long as the server asks, or else as long as its own policy says. */
function client(
  fetch: () => Promise<Response>,
  options: BackoffOptions,
  now: () => number,
) {
  const grow = exponential({ initial: 100, max: 1000, jitter: "none" });
  const pause = (failure: Failure) =>
    (failure.error instanceof HttpError ? failure.error.retryAfter : null) ?? grow(failure);
  const backoff = new Backoff({ exceptions: [HttpError], pause, ...options });
  return () =>
    backoff.execute(async () => {
      const response = await fetch();
      if (isRetryable(response.status)) throw new HttpError(response, now());
      return response.status;
    });
}

/** Plays answers, each after 10 ms. Returns the instant of each request, and the outcome. */
async function play(
  answers: readonly [status: number, retryAfter?: string][],
  options: BackoffOptions,
) {
  const clock = new TestClock(THEN);
  const requests: number[] = [];
  const fetch = async () => {
    const [status, header] = answers[Math.min(requests.length, answers.length - 1)] ??
      [200];
    requests.push(clock.now() - THEN);
    await clock.sleep(10);
    return new Response(null, {
      status,
      headers: header === undefined ? {} : { "retry-after": header },
    });
  };
  const call = client(fetch, { clock, ...options }, () => clock.now());
  const outcome = await clock.run(call().catch((error) => error));
  assertEquals(clock.pending, 0);
  return { requests, outcome, endedAt: clock.now() - THEN };
}

for (const status of [429, 503]) {
  Deno.test(`retryAfter() is waited for exactly when a fetch receives ${status}`, async () => {
    const seconds = await play([[status, "7"], [200]], { deadline: 60_000 });
    assertEquals(seconds, { requests: [0, 7010], outcome: 200, endedAt: 7020 });
    const date = new Date(THEN + 5000).toUTCString(); // measured when the answer arrives
    const until = await play([[status, date], [200]], { deadline: 60_000 });
    assertEquals(until, { requests: [0, 5000], outcome: 200, endedAt: 5010 });
  });

  Deno.test(`retryAfter() ends in the server's own error when ${status} asks for a wait past the deadline`, async () => {
    const { requests, outcome, endedAt } = await play([[status, "60"]], { deadline: 5000 });
    assertEquals([requests, endedAt], [[0], 5000]);
    assert(outcome instanceof HttpError);
    assertEquals([outcome.message, outcome.retryAfter], [`status ${status}`, 60_000]);
  });
}

Deno.test("retryAfter() ends in the server's own error at the deadline when the wait is the largest number", async () => {
  const { outcome, endedAt } = await play([[503, "9".repeat(400)]], { deadline: 5000 });
  assert(outcome instanceof HttpError);
  assertEquals(endedAt, 5000);
});

Deno.test("retryAfter() may exceed the policy's own max when the server asks for it", async () => {
  const { requests } = await play([[503, "120"], [200]], { deadline: 600_000 });
  assertEquals(requests, [0, 120_010]);
});

Deno.test("retryAfter() leaves the pause to the policy when the header is absent or unusable", async () => {
  const answers: [number, string?][] = [[503], [429, "soon"], [503, "-1"], [200]];
  const { requests, outcome } = await play(answers, { deadline: 60_000 });
  assertEquals([requests, outcome], [[0, 110, 320, 730], 200]);
});
