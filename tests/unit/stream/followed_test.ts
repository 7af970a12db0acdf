// Streams where attempts are followed through async context.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Backoff, currentAttempt, retry, sleep } from "@asyncbackoff/asyncbackoff";
import { stream } from "@asyncbackoff/asyncbackoff/stream";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { whileFollowed } from "../../support/followed.ts";

Deno.test("stream() nests what each step of its producer begins, where attempts are followed", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const ends: string[] = [];
    const policy = new Backoff({ clock, idleTimeout: 50 });
    const items = stream(policy, async function* (attempt) {
      yield await Promise.resolve("a");
      assertStrictEquals(currentAttempt(), attempt);
      await sleep(10, { clock });
      assertStrictEquals(currentAttempt(), attempt);
      await retry(() => new Promise(() => {}), {
        maxTries: 1,
        clock,
        observe: (event) => event.type === "done" && ends.push(event.reason),
      });
    });
    await items.next();
    const error = await clock.run(items.next().catch((error) => error));
    assertEquals([error.limit, clock.now(), ends], ["idle", 50, ["aborted"]]);
    await clock.advance(100);
    clock.close();
  });
});

Deno.test("stream() is nested in the attempt in which it is made, where attempts are followed", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const outer = new Backoff({ clock, attemptTimeout: 30, maxTries: 1 });
    const seen: unknown[] = [];
    const result = outer.execute(async (attempt) => {
      for (const options of [{}, { detached: true }]) {
        const items = stream({ clock }, async function* (inner) {
          inner.signal.addEventListener("abort", () => seen.push(inner.signal.reason));
          await sleep(20, { clock });
          yield "a";
          yield "b";
        }, options);
        await items.next();
        assertStrictEquals(currentAttempt(), attempt);
      }
    });
    const error = await clock.run(result.catch((error) => error));
    assertEquals([seen, error.limit], [[error], "attempt"]);
    await clock.advance(100);
    clock.close();
  });
});

Deno.test("an execution that is begun in a stream with followed attempts has the time until the deadline after the first item", async () => {
  await whileFollowed(async () => {
    const clock = new TestClock();
    const limits = { clock, attemptTimeout: 50, deadline: 1000 };
    const items = stream(limits, async function* () {
      yield -1;
      await sleep(100, { clock });
      yield await retry((inner) => inner.remaining, { maxTries: 1, clock });
    });
    await items.next();
    assertEquals(await clock.run(items.next()), { done: false, value: 900 });
    await items.return();
    clock.close();
  });
});
