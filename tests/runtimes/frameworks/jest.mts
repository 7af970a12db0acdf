// A test file of Jest in TypeScript, compiled to CommonJS by esbuild with legacy decorators.
// The extension keeps it from `deno check`, which does not know Jest.

import { expect, jest, test } from "@jest/globals";
import { asyncbackoff, asyncretry, sleep } from "@asyncbackoff/asyncbackoff";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

const clock = new TestClock();

class Users {
  calls = 0;

  @asyncbackoff(1000, 5000, 500, RangeError, { clock })
  async load(id: number): Promise<string> {
    this.calls += 1;
    if (this.calls === 1) await new Promise(() => {});
    if (this.calls === 2) throw new RangeError("busy");
    return `user ${id}`;
  }

  @asyncretry(3, { pause: 10 })
  static async count(): Promise<number> {
    await sleep(60_000);
    throw new RangeError("busy");
  }
}

test("TypeScript: a decorated method retries", async () => {
  expect(await clock.run(new Users().load(7))).toBe("user 7");
  expect(clock.now()).toBe(2000);
});

test("TypeScript: jest.spyOn() reaches code that imports the export", async () => {
  const spy = jest.spyOn(require("@asyncbackoff/asyncbackoff"), "sleep")
    .mockResolvedValue(undefined);
  await expect(Users.count()).rejects.toThrow(RangeError);
  expect(spy).toHaveBeenCalledTimes(3);
  spy.mockRestore();
});

test("TypeScript: jest.useFakeTimers() drives a decorated method", async () => {
  jest.useFakeTimers();
  try {
    const result = expect(Users.count()).rejects.toThrow("busy");
    await jest.advanceTimersByTimeAsync(180_020);
    await result;
  } finally {
    jest.useRealTimers();
  }
});
