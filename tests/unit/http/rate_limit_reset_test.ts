// rateLimitReset() on the fields that servers send.

import { assertEquals, assertThrows } from "@std/assert";
import { type AnyHeaders, rateLimitReset } from "@asyncbackoff/asyncbackoff/http";

const NOW = Date.UTC(2027, 0, 15, 8);
const SECONDS = NOW / 1000;

const reset = (headers: Record<string, string>) =>
  rateLimitReset(new Headers(headers), NOW);

Deno.test("rateLimitReset() reads the field RateLimit of each draft", () => {
  const values: [string, number | null][] = [
    ['"default";r=0;t=30', 30_000],
    ['"default";t=30;r=0', 30_000],
    ["default;r=0;t=30", 30_000],
    ['"default";r=5;t=30', null],
    ['"a";r=0;t=2, "b";r=7;t=3600', 2000],
    ['"a";r=0;t=2,"b";r=0;t=60', 60_000],
    ['"odd, name; t=9";r=0;t=2', 2000],
    ['"quoted \\" t=9";r=0;t=2', 2000],
    ['"default";r=0', null],
    ['"default";r=0;t=1.5', null],
    ["limit=10, remaining=0, reset=30", 30_000],
    ["limit=10,remaining=3,reset=30", null],
    ["limit=10, reset=30", 30_000],
    ["", null],
    ["nonsense", null],
  ];
  for (const [value, ms] of values) assertEquals(reset({ RateLimit: value }), ms, value);
});

Deno.test("rateLimitReset() tells seconds from instants in seconds and milliseconds", () => {
  for (const name of ["RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"]) {
    const values: [string, number | null][] = [
      ["0", 0],
      ["60", 60_000],
      ["1.5", 1500],
      ["86400", 86_400_000],
      ["31536000", 31_536_000_000],
      [`${SECONDS + 60}`, 60_000],
      [`${SECONDS + 0.25}`, 250],
      [`${SECONDS - 60}`, 0],
      [`${NOW + 1500}`, 1500],
      [`${NOW - 1500}`, 0],
      ["2027-01-15T08:00:05Z", 5000],
      ["2027-01-15T08:00:05.500+00:00", 5500],
      ["2027-01-15T07:59:00Z", 0],
      ["2027-99-15T07:59:00Z", null],
      ["Fri, 15 Jan 2027 08:00:07 GMT", 7000],
      ["60, 60", 60_000],
      ["60, 61", null],
      ["-5", null],
      ["soon", null],
      ["", null],
    ];
    for (const [value, ms] of values) {
      assertEquals(reset({ [name]: value }), ms, `${name}: ${value}`);
    }
  }
});

Deno.test("rateLimitReset() asks for no wait when something remains", () => {
  for (const prefix of ["RateLimit", "X-RateLimit"]) {
    const headers = (remaining: string) => ({
      [`${prefix}-Reset`]: "60",
      [`${prefix}-Remaining`]: remaining,
    });
    assertEquals(reset(headers("0")), 60_000);
    assertEquals(reset(headers("1")), null);
    assertEquals(reset(headers("unknown")), 60_000);
  }
});

Deno.test("rateLimitReset() measures an instant against the answer's own Date", () => {
  const Date_ = new Date(NOW - 3_600_000).toUTCString();
  const at = `${SECONDS - 3600 + 5}`;
  assertEquals(reset({ Date: Date_, "X-RateLimit-Reset": at }), 5000);
  assertEquals(reset({ Date: Date_, "X-RateLimit-Reset": "60" }), 60_000);
  for (const wrong of ["", "yesterday", "5"]) {
    assertEquals(reset({ Date: wrong, "X-RateLimit-Reset": `${SECONDS + 5}` }), 5000);
  }
});

Deno.test("rateLimitReset() reads a record of names in lower case, and counts from now", () => {
  assertEquals(
    rateLimitReset({ "x-ratelimit-reset": "60", "set-cookie": [] }, NOW),
    60_000,
  );
  assertEquals(rateLimitReset({ "x-ratelimit-reset": ["60"] }, NOW), null);
  assertEquals(rateLimitReset({}), null);
  assertEquals(rateLimitReset({ "x-ratelimit-reset": `${Date.now() - 5000}` }), 0);
});

Deno.test("rateLimitReset() is fast and throws nothing, whatever the server sends", () => {
  const parts = [
    '"',
    "r=",
    "t=",
    ";",
    ",",
    "\\",
    "9",
    "9".repeat(500),
    ".",
    "reset=",
    "Z",
    "T",
  ];
  let seed = 1;
  const next = (max: number) => (seed = seed * 48_271 % 2_147_483_647) % max;
  for (let turn = 0; turn < 2000; turn++) {
    const value = Array.from({ length: next(40) }, () => parts[next(parts.length)]).join(
      "",
    );
    for (const name of ["ratelimit", "ratelimit-reset", "date"]) {
      const ms = rateLimitReset({ "x-ratelimit-reset": "1", [name]: value }, NOW);
      assertEquals(ms === null || ms >= 0, true, value);
    }
  }
  const began = performance.now();
  rateLimitReset({ ratelimit: '"'.repeat(100_000) }, NOW);
  rateLimitReset({ ratelimit: '"' + '\\"'.repeat(100_000) }, NOW);
  rateLimitReset({ "ratelimit-reset": "9".repeat(100_000) }, NOW);
  assertEquals(performance.now() - began < 1000, true);
});

Deno.test("rateLimitReset() refuses wrong arguments", () => {
  for (const headers of [null, undefined, "60", 7]) {
    assertThrows(
      () => rateLimitReset(headers as unknown as AnyHeaders, NOW),
      TypeError,
      "Cannot read a rate limit: 'headers' must be headers of an answer, got",
    );
  }
  assertThrows(() => rateLimitReset({}, "now" as unknown as number), TypeError);
  assertThrows(() => rateLimitReset({}, NaN), RangeError);
});
