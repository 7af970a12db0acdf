// Bodies of answers whose requests have a signal: the listener ends with the body.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { abortable, discard } from "../../../src/http/response.ts";

/** A signal that counts its listeners. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove.apply(signal, args);
  };
  return { controller, signal, count: () => listeners };
}

/** An answer, its signal and its request's controller. */
function open(body: BodyInit | null, init?: ResponseInit) {
  const caller = counted();
  const request = new AbortController();
  const response = abortable(new Response(body, init), caller.signal, request);
  return { ...caller, request, response };
}

Deno.test("abortable() listens until the body is read to its end", async () => {
  const { response, count } = open("up");
  assertEquals(count(), 1);
  assertEquals(await response.text(), "up");
  assertEquals(count(), 0);
});

Deno.test("abortable() listens until the body is cancelled", async () => {
  let reason: unknown;
  const stream = new ReadableStream({ cancel: (given) => void (reason = given) });
  const { response, count } = open(stream);
  await response.body?.cancel("enough");
  assertEquals([count(), reason], [0, "enough"]);
});

Deno.test("abortable() listens until the body fails, with the body's own error", async () => {
  const broken = new Error("broken");
  const stream = new ReadableStream({ pull: (controller) => controller.error(broken) });
  const { response, count } = open(stream);
  const reader = response.body?.getReader();
  assertStrictEquals(await reader?.read().catch((error) => error), broken);
  assertEquals(count(), 0);
  const other = open(
    new ReadableStream({ pull: (controller) => controller.error(broken) }),
  );
  const error = await other.response.text().catch((error) => error);
  other.controller.abort("late");
  assert(error instanceof Error);
});

Deno.test("abortable() aborts the request and the body at once, whether or not it is being read", async () => {
  for (const isRead of [true, false]) {
    const { response, count, controller, request } = open(new ReadableStream());
    const reading = isRead ? response.text() : null;
    reading?.catch(() => {});
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals([count(), request.signal.reason], [0, reason]);
    assertStrictEquals(await (reading ?? response.text()).catch((error) => error), reason);
  }
});

Deno.test("abortable() does nothing to a body that has ended when the signal is aborted", async () => {
  const { response, controller, request } = open("up");
  assertEquals(await response.text(), "up");
  controller.abort("late");
  assertEquals(request.signal.aborted, false);
});

Deno.test("abortable() reads nothing before the caller does", async () => {
  let pulled = 0;
  const stream = new ReadableStream({ pull: () => void (pulled += 1) }, {
    highWaterMark: 0,
  });
  const { response } = open(stream);
  for (let turn = 0; turn < 100; turn++) await null;
  assertEquals(pulled, 0);
  await response.body?.cancel();
});

Deno.test("abortable() returns an answer without a body itself, and listens to nothing", () => {
  const { signal, count } = counted();
  const response = new Response(null, { status: 204 });
  assertStrictEquals(abortable(response, signal, new AbortController()), response);
  assertEquals(count(), 0);
});

Deno.test("abortable() keeps status, headers and the bytes of each part", async () => {
  const { response } = open("up", {
    status: 203,
    statusText: "Fine",
    headers: { "x-a": "1" },
  });
  assertEquals([response.status, response.statusText, response.headers.get("x-a")], [
    203,
    "Fine",
    "1",
  ]);
  const copy = response.clone();
  assertEquals([await copy.text(), await response.text()], ["up", "up"]);
  await assertRejects(() => response.text());
});

Deno.test("abortable() keeps statuses that the constructor of an answer refuses", async () => {
  for (const status of [205, 999]) {
    const odd = Object.defineProperties(new Response("up"), {
      status: { value: status },
      ok: { value: status < 300 },
    });
    const response = abortable(odd, counted().signal, new AbortController());
    for (const each of [response.clone(), response]) {
      assertEquals([each.status, each.ok, await each.text()], [status, status < 300, "up"]);
    }
  }
});

Deno.test("discard() leaves a body that is locked or read, and one that cannot be cancelled", async () => {
  const locked = new Response("up");
  const reader = locked.body?.getReader();
  await discard(locked);
  assertEquals((await reader?.read())?.done, false);
  await reader?.cancel();
  await discard(new Response(null));
  await discard({});
  await discard({
    body: {
      cancel: () => {
        throw new Error("no");
      },
    },
  });
});
