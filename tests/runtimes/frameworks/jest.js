// A test file of Jest in CommonJS, with Jest's default configuration.

const { readFile } = require("node:fs/promises");
const { createServer } = require("node:net");
const { Backoff, sleep, TimeoutError } = require("@asyncbackoff/asyncbackoff");
const { TestClock } = require("@asyncbackoff/asyncbackoff/testing");
const { fast, limits, makeUnreliable } = require("./unreliable.js");

/** A port on which nothing listens. */
async function findClosedPort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function countAttempts(ErrorClass, fn) {
  const backoff = new Backoff({ exceptions: [ErrorClass], maxTries: 3 });
  await expect(backoff.execute(fn)).rejects.toMatchObject({ message: expect.any(String) });
  return backoff.statistic.attempts;
}

test("retries on the real clock", async () => {
  const { load } = makeUnreliable();
  const backoff = new Backoff(fast);
  expect(await backoff.execute(load)).toBe("loaded");
  expect(backoff.statistic.toJSON()).toMatchObject({ attempts: 3, timeouts: 1, errors: 2 });
});

test("rejects with a TimeoutError at the deadline", async () => {
  const backoff = new Backoff({ deadline: 20 });
  await expect(backoff.execute(() => new Promise(() => {}))).rejects.toThrow(TimeoutError);
});

test("retries on a TestClock", async () => {
  const clock = new TestClock();
  const { calls, load } = makeUnreliable(() => clock.now());
  expect(await clock.run(new Backoff({ ...limits, clock }).execute(load))).toBe("loaded");
  expect(calls).toEqual([0, 1500, 2000]);
});

test("jest.spyOn() replaces an export, and restores it", async () => {
  const library = require("@asyncbackoff/asyncbackoff");
  const spy = jest.spyOn(library, "sleep").mockResolvedValue("slept");
  expect(await library.sleep(60_000)).toBe("slept");
  expect(spy).toHaveBeenCalledWith(60_000);
  spy.mockRestore();
  expect(library.sleep).toBe(sleep);
  expect(await library.sleep(1)).toBe(undefined);
});

test("jest.useFakeTimers() drives limits and pauses", async () => {
  jest.useFakeTimers({ now: 0 });
  try {
    const { calls, load } = makeUnreliable();
    const result = new Backoff(limits).execute(load);
    await jest.advanceTimersByTimeAsync(1999);
    expect(calls).toEqual([0, 1500]);
    await jest.advanceTimersByTimeAsync(1);
    expect(calls).toEqual([0, 1500, 2000]);
    expect(await result).toBe("loaded");
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test("a retry after a pause of 0 waits for jest's fake timers", async () => {
  jest.useFakeTimers({ now: 0 });
  const calls = [];
  const result = new Backoff({ pause: 0, maxTries: 11, exceptions: [Error] }).execute(
    () => {
      calls.push(Date.now());
      throw new Error("busy");
    },
  ).catch(() => {});
  for (let index = 0; index < 20; index++) await null;
  expect(calls.length).toBe(1);
  await jest.advanceTimersByTimeAsync(10);
  expect(calls.length).toBe(11);
  await result;
  jest.useRealTimers();
});

test("jest.useFakeTimers() drives a copy that was loaded under it", async () => {
  jest.useFakeTimers({ now: 0 });
  try {
    jest.resetModules();
    const library = require("@asyncbackoff/asyncbackoff");
    expect(library.Backoff).not.toBe(Backoff);
    const { calls, load } = makeUnreliable();
    const result = new library.Backoff(limits).execute(load);
    await jest.advanceTimersByTimeAsync(2000);
    expect(calls).toEqual([0, 1500, 2000]);
    expect(await result).toBe("loaded");
  } finally {
    jest.useRealTimers();
  }
});

// Jest runs tests in a realm of its own, and errors of Node come from another one.

test("exceptions: [TypeError] retries a failed fetch", async () => {
  const url = `http://127.0.0.1:${await findClosedPort()}/`;
  expect(await countAttempts(TypeError, () => fetch(url))).toBe(3);
});

test("exceptions: [Error] retries an error of fs", async () => {
  expect(await countAttempts(Error, () => readFile("missing.txt"))).toBe(3);
});

test("exceptions: [DOMException] retries one of structuredClone()", async () => {
  const copy = () => Promise.resolve(structuredClone(() => {}));
  expect(await countAttempts(DOMException, copy)).toBe(3);
});

test("exceptions: [RangeError] does not retry a failed fetch", async () => {
  const url = `http://127.0.0.1:${await findClosedPort()}/`;
  expect(await countAttempts(RangeError, () => fetch(url))).toBe(1);
});
