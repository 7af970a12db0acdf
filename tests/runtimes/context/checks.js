// Checks of followed attempts on one copy of the package or on several, for any runtime that
// has `node:async_hooks`.

import { AsyncLocalStorage } from "node:async_hooks";
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { EventEmitter } from "node:events";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
const hang = () => new Promise(() => {});
const errorOf = (promise) => promise.then(() => "no error", (error) => error);

/** Ways from the beginning of an attempt to code in its async extent. */
const ways = {
  "at once": (fn) => fn(),
  "after an await": async (fn) => {
    await null;
    return await fn();
  },
  "after a timer": async (fn) => {
    await turn();
    return await fn();
  },
  "in a timer": (fn) => new Promise((resolve) => setTimeout(() => resolve(fn()), 1)),
  "in a microtask": (fn) => new Promise((resolve) => queueMicrotask(() => resolve(fn()))),
  "in a listener of an emitter": async (fn) => {
    const emitter = new EventEmitter();
    const result = new Promise((resolve) => emitter.on("data", () => resolve(fn())));
    await turn();
    emitter.emit("data");
    return await result;
  },
  "in for await": async (fn) => {
    const generate = async function* () {
      yield await fn();
      await turn();
      yield await fn();
    };
    let last;
    for await (const each of generate()) last = each;
    await fn();
    return last;
  },
  "in Promise.all()": async (fn) => {
    const [result] = await Promise.all([turn().then(fn), turn()]);
    await fn();
    return result;
  },
  "in another context": (fn) =>
    new AsyncLocalStorage().run("a stranger", async () => {
      await turn();
      return await fn();
    }),
};

/** A pool that hands a free connection to who waits, in the turn of who releases it. */
function makePool(size) {
  const [idle, waiting] = [[], []];
  const acquire = () => {
    if (idle.length > 0) return idle.pop();
    if (size-- > 0) return { query: (text) => turn().then(() => text) };
    return new Promise((resolve) => waiting.push(resolve));
  };
  return async (text) => {
    const connection = await acquire();
    try {
      return await connection.query(text);
    } finally {
      if (waiting.length > 0) waiting.shift()(connection);
      else idle.push(connection);
    }
  };
}

/** Checks that need no followed attempts, and must hold before and after. */
async function checkWithin(check, outer, inner) {
  await check("`within` an attempt of another copy ends with it", async () => {
    const controller = new AbortController();
    const order = [];
    const result = outer.retry((attempt) => {
      const note = (name, promise) => promise.catch(() => order.push(name));
      const { signal: _, ...own } = { within: attempt, maxTries: 1 };
      note("option", inner.retry(hang, own));
      note("scope", inner.within(attempt, () => inner.retry(hang, { maxTries: 1 })));
      const foreign = outer.within(
        { deadline: 60_000 },
        () => inner.retry(hang, { maxTries: 1 }),
      );
      note("foreign scope", foreign);
      return hang();
    }, { maxTries: 1, signal: controller.signal });
    const ended = result.catch((error) => order.push(error));
    await turn();
    controller.abort("enough");
    await ended;
    await turn();
    deepStrictEqual(order.slice(0, 3), ["enough", "option", "scope"]);
  });

  await check("`remaining` is bounded by an attempt of another copy", async () => {
    const remaining = await outer.retry(
      (attempt) =>
        inner.retry(({ remaining }) => remaining, { maxTries: 1, within: attempt }),
      { deadline: 5000 },
    );
    ok(remaining > 0 && remaining <= 5000);
  });
}

/** Runs all checks, and returns their number. The first copy follows attempts. */
export async function run(copies) {
  let count = 0;
  const check = async (name, fn) => {
    try {
      await fn();
      count += 1;
    } catch (error) {
      throw new Error(`${name}: ${error?.stack ?? error}`);
    }
  };
  const pairs = copies.flatMap((outer) => copies.map((inner) => [outer, inner]));

  for (const [outer, inner] of pairs) await checkWithin(check, outer, inner);
  for (const { currentAttempt, retry } of copies) {
    await check("attempts are not followed before", () =>
      retry(async () => {
        currentAttempt();
        await null;
        throws(currentAttempt, /Cannot get the current attempt/);
      }, { maxTries: 1 }));
  }

  copies[0].followAttempts();

  for (const [outer, inner] of pairs) {
    await checkWithin(check, outer, inner);
    for (const [way, act] of Object.entries(ways)) {
      await check(
        `the attempt is current ${way}`,
        () =>
          outer.retry(
            (attempt) => act(() => strictEqual(inner.currentAttempt(), attempt)),
            { maxTries: 1 },
          ),
      );

      await check(`what is begun ${way} ends with the attempt`, async () => {
        const controller = new AbortController();
        const log = [];
        const result = outer.retry(async () => {
          await act(() => {
            inner.retry(hang, { maxTries: 1 }).catch((error) => log.push(`inner ${error}`));
          });
          await hang();
        }, { maxTries: 1, signal: controller.signal })
          .catch((error) => log.push(`outer ${error}`));
        for (let i = 0; i < 10; i++) await turn();
        controller.abort("enough");
        await result;
        await turn();
        strictEqual(log[0], "outer enough");
        ok(log.length >= 2 && log.slice(1).every((each) => each === "inner enough"));
      });

      await check(`what is begun detached ${way} goes on`, async () => {
        const controller = new AbortController();
        const results = [];
        const result = outer.retry(async () => {
          await act(() => {
            const work = () => turn().then(turn).then(() => "written");
            results.push(
              inner.detached(() => inner.retry(work, { maxTries: 1 })),
              inner.retry(work, { maxTries: 1, detached: true }),
            );
          });
          controller.abort("enough");
          await hang();
        }, { maxTries: 1, signal: controller.signal });
        strictEqual(await errorOf(result), "enough");
        for (const each of await Promise.all(results)) strictEqual(each, "written");
      });
    }
  }

  for (const { retry, currentAttempt, currentAttemptOrNull } of copies) {
    await check("attempts are kept apart in the queue of a pool", async () => {
      const query = makePool(3);
      const load = (id) =>
        retry(async (attempt) => {
          for (let step = 0; step < 3; step++) {
            strictEqual(await query(id), id);
            strictEqual(currentAttempt(), attempt);
          }
          if (attempt.number < 2) throw new Error("again");
          return id;
        }, { maxTries: 2 });
      const ids = Array.from({ length: 30 }, (_, id) => id);
      deepStrictEqual(await Promise.all(ids.map(load)), ids);
    });

    await check("there is no attempt outside, and none after the attempt", async () => {
      strictEqual(currentAttemptOrNull(), null);
      let later;
      await retry(() => void (later = turn().then(currentAttemptOrNull)), { maxTries: 1 });
      strictEqual(currentAttemptOrNull(), null);
      strictEqual(await later, null);
    });
  }
  return count;
}
