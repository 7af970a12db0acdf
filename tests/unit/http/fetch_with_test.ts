// fetchWith() on a test clock and a server that answers by a script.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Backoff, sleep, TimeoutError } from "@asyncbackoff/asyncbackoff";
import {
  checked,
  type FetchOptions,
  type FetchPolicy,
  fetchWith,
  HttpError,
  serverPause,
} from "@asyncbackoff/asyncbackoff/http";
import { refused, ScriptedServer, stalled } from "./scripted_server.ts";

const URL_ = "https://service.example/users?token=secret";
const FIXED = { pause: 100, attemptTimeout: 1000, deadline: 10_000 };

/** A fetch of a server. */
function fetchOf(
  { clock, fetch }: ScriptedServer,
  policy: FetchPolicy = {},
  options: FetchOptions = {},
) {
  return fetchWith({ ...FIXED, clock, ...policy }, { fetch, ...options });
}

/** Asks a server, and returns the outcome. */
async function ask(
  server: ScriptedServer,
  init?: RequestInit,
  policy?: FetchPolicy,
  options?: FetchOptions,
) {
  const call = fetchOf(server, policy, options)(URL_, init);
  const [outcome] = await server.clock.run(Promise.allSettled([call]));
  return outcome.status === "fulfilled"
    ? { response: outcome.value, error: null }
    : { response: null, error: outcome.reason };
}

/** Asks without a test clock, because platforms read some bodies in turns of their own. */
const send = (
  { fetch }: ScriptedServer,
  input: RequestInfo,
  init?: RequestInit,
  options: FetchOptions = {},
) => fetchWith({ pause: 0 }, { fetch, ...options })(input, init);

Deno.test("fetchWith() returns an answer that is not retried, whatever its status", async () => {
  for (const status of [200, 204, 304, 400, 401, 403, 404, 409, 422, 501, 505]) {
    const server = new ScriptedServer(() =>
      new Response([204, 304].includes(status) ? null : "body", { status })
    );
    const { response } = await ask(server);
    assertEquals(response?.status, status);
    assertEquals(server.instants, [0]);
    await response?.body?.cancel();
  }
});

Deno.test("fetchWith() returns the platform's own answer when there is no signal", async () => {
  const own = new Response("up");
  const { response } = await ask(new ScriptedServer(() => own));
  assertStrictEquals(response, own);
});

Deno.test("fetchWith() retries each status that may pass, and network errors", async () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    const server = new ScriptedServer(status, 200);
    const { response } = await ask(server);
    assertEquals([response?.status, server.instants], [200, [0, 100]]);
    assertEquals(await response?.text(), "answer 200");
    assertEquals([server.open, server.cancelled], [0, 1]);
  }
  const server = new ScriptedServer(refused(), refused(), 200);
  const { response } = await ask(server);
  assertEquals([response?.status, server.instants], [200, [0, 100, 200]]);
  await response?.body?.cancel();
});

Deno.test("fetchWith() throws at once what is no network error", async () => {
  for (const error of [new TypeError("Invalid URL: 'nowhere'"), new Error("bug")]) {
    const server = new ScriptedServer(error);
    assertStrictEquals((await ask(server)).error, error);
    assertEquals(server.instants, [0]);
  }
});

Deno.test("fetchWith() returns the last answer, with its body, when tries are used up", async () => {
  const server = new ScriptedServer(500, 502, { status: 503, body: "down" });
  const { response } = await ask(server, {}, { maxTries: 3 });
  assertEquals([response?.status, await response?.text()], [503, "down"]);
  assertEquals(server.instants, [0, 100, 200]);
  assertEquals([server.open, server.cancelled], [0, 2]);
});

Deno.test("fetchWith() throws the last network error itself when tries are used up", async () => {
  const last = refused();
  const server = new ScriptedServer(500, refused(), last);
  const { error } = await ask(server, {}, { maxTries: 3 });
  assertStrictEquals(error, last);
  assertEquals(server.open, 0);
});

Deno.test("fetchWith() returns the answer when the policy gives up before it decides to retry", async () => {
  for (
    const policy of [
      { giveup: () => true },
      { budget: { mayRetry: () => false } },
      { pause: 10_000 },
      { deadline: 100, pause: 100 },
    ]
  ) {
    const server = new ScriptedServer({ status: 503, body: "down" });
    const { response } = await ask(server, {}, policy);
    assertEquals(await response?.text(), "down");
    assertEquals([server.instants, server.clock.now(), server.cancelled], [[0], 0, 0]);
  }
});

Deno.test("fetchWith() rejects with an HttpError when the deadline ends a pause that was decided on", async () => {
  const server = new ScriptedServer(503);
  const pause = 5000;
  const backoff = new Backoff({
    exceptions: [],
    deadline: 1000,
    pause,
    clock: server.clock,
  });
  const call = fetchWith(backoff, { fetch: server.fetch })(URL_);
  const error = await server.clock.run(call.catch((error) => error));
  assertInstanceOf(error, HttpError);
  assertEquals([error.status, error.method, error.url], [503, "GET", URL_]);
  assert(error.message.startsWith("GET https://service.example/users answered 503"));
  assertEquals([server.clock.now(), server.open, server.cancelled], [1000, 0, 1]);
});

Deno.test("fetchWith() rejects with the HttpError of the answer before when the deadline ends an attempt", async () => {
  const server = new ScriptedServer(503, { status: 200, after: 5000 });
  const { error } = await ask(server, {}, { deadline: 900 });
  assertInstanceOf(error, HttpError);
  assertEquals([server.clock.now(), server.instants, server.open], [900, [0, 100], 0]);
});

Deno.test("fetchWith() sends a request exactly once without permission, timeouts included", async () => {
  const steps = [503, refused(), { status: 200, after: 5000 }];
  for (const step of steps) {
    for (const method of ["POST", "post", "PATCH", "QUERY"]) {
      const server = new ScriptedServer(step, 200);
      const { response, error } = await ask(server, { method, body: "order" });
      assertEquals(server.received.length, 1);
      if (step === 503) assertEquals(await response?.text(), "answer 503");
      else if (step instanceof Error) assertStrictEquals(error, step);
      else {
        assertInstanceOf(error, TimeoutError);
        assertEquals([error.limit, server.clock.now()], ["attempt", 1000]);
      }
      assertEquals(server.open, 0);
    }
  }
});

Deno.test("fetchWith() sends a request once by a Backoff without maxTries, timeouts included", async () => {
  const server = new ScriptedServer({ status: 200, after: 5000 });
  const backoff = new Backoff({
    attemptTimeout: 100,
    exceptions: "all",
    clock: server.clock,
  });
  const call = fetchWith(backoff, { fetch: server.fetch })(URL_, { method: "POST" });
  await server.clock.run(assertRejects(() => call, TimeoutError));
  assertEquals(server.received.length, 1);
});

Deno.test("fetchWith() resends idempotent methods in any case, and methods that are listed", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "put", "delete"]) {
    const server = new ScriptedServer(503, () => new Response(null));
    await ask(server, { method });
    assertEquals(server.instants, [0, 100], method);
  }
  const server = new ScriptedServer(503, () => new Response(null));
  await ask(server, { method: "POST", body: "search" }, {}, { methods: ["post"] });
  assertEquals(server.received.map(({ body }) => body), ["search", "search"]);
  const strict = new ScriptedServer({ status: 503, body: "" });
  const { response } = await ask(strict, {}, {}, { methods: [] });
  assertEquals([response?.status, strict.instants], [503, [0]]);
});

Deno.test("fetchWith() resends a POST with an Idempotency-Key, of the caller's or its own", async () => {
  const own = new ScriptedServer(503, refused(), () => new Response(null));
  const init = { method: "POST", body: "order", headers: [["idempotency-key", "7"]] };
  await ask(own, init as RequestInit);
  assertEquals(own.received.map((each) => each.headers.get("Idempotency-Key")), [
    "7",
    "7",
    "7",
  ]);

  const options = { idempotencyKey: true };
  const keys: string[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const server = new ScriptedServer(503, () => new Response(null));
    const headers = { "x-other": "1" };
    await ask(server, { method: "POST", body: "order", headers }, {}, options);
    const [first, second] = server.received.map((each) =>
      each.headers.get("idempotency-key")
    );
    assertEquals(first, second);
    assert(/^[0-9a-f]{32}$/.test(first ?? ""));
    assertEquals(server.received.map((each) => each.headers.get("x-other")), ["1", "1"]);
    keys.push(first ?? "");
  }
  assert(keys[0] !== keys[1]);

  const given = new ScriptedServer(503, () => new Response(null));
  await ask(given, { ...init } as RequestInit, {}, options);
  assertEquals(given.received[0]?.headers.get("idempotency-key"), "7");
  const get = new ScriptedServer(() => new Response(null));
  await ask(get, {}, {}, options);
  assertEquals(get.received[0]?.headers.get("idempotency-key"), null);
});

Deno.test("fetchWith() resends every body that can be sent again, and no other", async () => {
  const form = new FormData();
  form.set("name", "value");
  const bodies = [
    "text",
    new TextEncoder().encode("bytes"),
    new TextEncoder().encode("buffer").buffer,
    new DataView(new TextEncoder().encode("view").buffer),
    new Blob(["blob"]),
    new File(["file"], "name"),
    new URLSearchParams({ name: "value" }),
    form,
  ];
  for (const body of bodies) {
    const server = new ScriptedServer(503, () => new Response(null));
    await send(server, URL_, { method: "PUT", body });
    const [first, second] = server.received;
    assertEquals(server.received.length, 2);
    assert((first?.body ?? "").length > 3);
    if (body !== form) assertEquals(first?.body, second?.body);
  }
  const stream = new Blob(["stream"]).stream();
  const server = new ScriptedServer({ status: 503, body: "" });
  const init = { method: "PUT", body: stream, duplex: "half" } as RequestInit;
  const response = await send(server, URL_, init);
  assertEquals([response.status, server.received.length], [503, 1]);
  assertEquals(server.received[0]?.body, "stream");
});

Deno.test("fetchWith() clones a Request with a body for each attempt", async () => {
  const server = new ScriptedServer(503, refused(), () => new Response(null));
  const request = new Request(URL_, {
    method: "PUT",
    body: "text",
    headers: { "x-other": "1" },
  });
  await send(server, request);
  assertEquals(server.received.map(({ body }) => body), ["text", "text", "text"]);
  assertEquals(server.received.map((each) => each.headers.get("x-other")), ["1", "1", "1"]);
});

Deno.test("fetchWith() sends a Request itself when it may be sent once", async () => {
  const server = new ScriptedServer({ status: 503, body: "" });
  const request = new Request(URL_, { method: "POST", body: "text" });
  const response = await send(server, request);
  assertEquals([response.status, server.received.map(({ body }) => body)], [503, ["text"]]);
});

Deno.test("fetchWith() takes a Request with other options, and as options", async () => {
  const server = new ScriptedServer(503, () => new Response(null));
  const request = new Request(URL_, { method: "POST", body: "old" });
  await send(server, request, { method: "PUT", body: "new" });
  assertEquals(server.received.map(({ method, body }) => [method, body]), [
    ["PUT", "new"],
    ["PUT", "new"],
  ]);
  await request.body?.cancel().catch(() => {}); // Chromium has locked it
  const other = new ScriptedServer(503, () => new Response(null));
  const asOptions = new Request(URL_, { method: "PUT", body: "text" });
  await send(other, URL_, asOptions);
  assertEquals(other.received.map(({ method, body }) => [method, body]), [
    ["PUT", "text"],
    ["PUT", "text"],
  ]);
});

Deno.test("fetchWith() waits as long as the server asks for, and pauses by itself when it asks for 0 for ever", async () => {
  const server = new ScriptedServer(
    { status: 429, headers: { "retry-after": "2" } },
    { status: 503, headers: { "retry-after-ms": "700" } },
    () => new Response(null),
  );
  await ask(server);
  const [, second = 0, third = 0] = server.instants;
  assert(second >= 2000 && second <= 2400);
  assert(third - second >= 700 && third - second <= 840);

  const past = "Sun, 06 Nov 1994 08:49:37 GMT";
  const instants: number[][] = [];
  for (const value of [null, "0", past]) {
    const headers: Record<string, string> = value === null ? {} : { "retry-after": value };
    const impatient = new ScriptedServer({ status: 503, headers, body: "" });
    await ask(impatient, {}, { pause: [100, 200, 400] });
    instants.push(impatient.instants);
  }
  assertEquals(instants, Array(3).fill([0, 100, 300, 700]));
});

Deno.test("fetchWith() returns the answer at once when the server asks for more than remains", async () => {
  const headers = { "retry-after": "3600" };
  const server = new ScriptedServer({ status: 429, headers, body: "later" });
  const { response } = await ask(server);
  assertEquals([response?.status, await response?.text()], [429, "later"]);
  assertEquals([server.clock.now(), server.instants], [0, [0]]);
});

Deno.test("fetchWith() has a policy of 4 attempts and growing pauses without options", async () => {
  const server = new ScriptedServer({ status: 503, body: "" });
  const { clock, fetch } = server;
  const response = await clock.run(fetchWith({ clock }, { fetch })(URL_));
  const pauses = server.instants.map((at, index) => at - (server.instants[index - 1] ?? 0));
  assertEquals([response.status, pauses.length], [503, 4]);
  for (const [index, least] of [0, 100, 200, 400].entries()) {
    const pause = pauses[index] ?? 0;
    assert(pause >= least && pause <= 2 * least, `${pause}`);
  }
  const slow = new ScriptedServer({ status: 200, after: 60_000 });
  const call = fetchWith({ clock: slow.clock }, { fetch: slow.fetch })(URL_).catch((
    error,
  ) => error);
  assertInstanceOf(await slow.clock.run(call), TimeoutError);
  assertEquals(Math.round(slow.clock.now()), 30_000);
});

Deno.test("fetchWith() uses a Backoff with its own pause, maxTries and statistic", async () => {
  const server = new ScriptedServer({
    status: 503,
    body: "",
    headers: { "retry-after": "1" },
  });
  const { clock, fetch } = server;
  const backoff = new Backoff({
    exceptions: [],
    maxTries: 3,
    pause: serverPause({ otherwise: 50, spread: 0 }),
    clock,
  });
  const response = await clock.run(fetchWith(backoff, { fetch })(URL_));
  assertEquals([response.status, server.instants], [503, [0, 1000, 2000]]);
  assertEquals(backoff.statistic.attempts, 3);
});

Deno.test("fetchWith() bounds the time to the headers, and not the body", async () => {
  const server = new ScriptedServer({ status: 200, after: 5000 }, {
    status: 200,
    after: 900,
    body: "up",
  });
  const { response } = await ask(server);
  assertEquals(server.instants, [0, 1100]);
  await server.clock.advance(60_000);
  assertEquals(await response?.text(), "up");
});

Deno.test("fetchWith() discards an answer that comes after its attempt has timed out", async () => {
  const server = new ScriptedServer(async (server) => {
    await sleep(1500, { clock: server.clock });
    return server.answer(200);
  }, () => new Response(null));
  await ask(server);
  await server.clock.advance(10_000);
  assertEquals([server.instants, server.open, server.cancelled], [[0, 1100], 0, 1]);
});

Deno.test("fetchWith() aborts the request, and the pause, with the caller's reason at once", async () => {
  for (const step of [{ status: 200, after: 900 }, 503]) {
    const server = new ScriptedServer(step);
    const controller = new AbortController();
    const reason = new Error("enough");
    server.clock.after(50, () => controller.abort(reason));
    const { error } = await ask(server, { signal: controller.signal });
    assertStrictEquals(error, reason);
    assertEquals([server.clock.now(), server.open, server.received.length], [50, 0, 1]);
  }
  const server = new ScriptedServer(200);
  const { error } = await ask(server, { signal: AbortSignal.abort("before") });
  assertEquals([error, server.received.length], ["before", 0]);
});

Deno.test("fetchWith() aborts by the signal of a Request, unless the options have another", async () => {
  const aborted = new Request(URL_, { signal: AbortSignal.abort("of the request") });
  const server = new ScriptedServer(() => new Response(null));
  await assertRejects(() =>
    fetchOf(server)(aborted).catch((reason) => {
      assertEquals(reason, "of the request");
      throw new Error("aborted");
    })
  );
  assertEquals((await fetchOf(server)(aborted, { signal: null })).status, 200);
});

Deno.test("fetchWith() aborts the body of an answer that it has returned", async () => {
  const server = new ScriptedServer(stalled());
  const controller = new AbortController();
  const { response } = await ask(server, { signal: controller.signal });
  const reason = new Error("enough");
  const text = response?.text().catch((error) => error);
  await Promise.resolve();
  controller.abort(reason);
  assertStrictEquals(await text, reason);
  assertEquals([server.open, server.received[0]?.signal.aborted], [0, true]);
});

Deno.test("fetchWith() rejects with the caller's reason when an observer of the end aborts", async () => {
  for (const status of [503, 200]) {
    const server = new ScriptedServer(status);
    const controller = new AbortController();
    const observe = ({ type }: { type: string }) => {
      if (type === "done") controller.abort("enough");
    };
    const { signal } = controller;
    const { response, error } = await ask(server, { signal }, { maxTries: 1, observe });
    assertEquals(error ?? await response?.text().catch((reason) => reason), "enough");
    assertEquals(server.open, 0);
  }
});

Deno.test("fetchWith() cancels the answer when a callback throws", async () => {
  const bug = new Error("bug");
  const giveup = () => {
    throw bug;
  };
  const server = new ScriptedServer(503);
  assertStrictEquals((await ask(server, {}, { giveup })).error, bug);
  assertEquals([server.open, server.cancelled], [0, 1]);
});

Deno.test("fetchWith() asks `until` about answers, and cancels those that it refuses", async () => {
  const server = new ScriptedServer(202, 202, 200);
  const until = (response: Response) => response.status !== 202;
  const { signal } = new AbortController();
  const { response } = await ask(server, { signal }, { until });
  assertEquals([await response?.text(), server.cancelled], ["answer 200", 2]);
  assertEquals(server.open, 0);
  const pending = new ScriptedServer(202);
  const { error } = await ask(pending, {}, { until, maxTries: 2 });
  assertEquals([error.name, pending.open], ["ResultError", 0]);
});

Deno.test("fetchWith() reads each body within the limits when buffer is true", async () => {
  const server = new ScriptedServer(stalled(), 200);
  const { response } = await ask(server, {}, {}, { buffer: true });
  assertEquals([server.instants, server.open], [[0, 1100], 0]);
  assertEquals(await response?.text(), "answer 200");

  const empty = await ask(
    new ScriptedServer(() => new Response(null, { status: 204 })),
    {},
    {},
    {
      buffer: true,
    },
  );
  assertEquals([empty.response?.status, empty.response?.body], [204, null]);

  const broken = new ScriptedServer(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.error(refused()),
        }),
      ),
    200,
  );
  const again = await ask(broken, {}, {}, { buffer: true });
  assertEquals([await again.response?.text(), broken.instants], ["answer 200", [0, 100]]);
});

Deno.test("fetchWith() keeps the address and kind of an answer that it buffers or can abort", async () => {
  const described = () =>
    Object.defineProperties(new Response("up", { headers: { "x-other": "1" } }), {
      url: { value: "https://other.example/" },
      redirected: { value: true },
      type: { value: "cors" },
    });
  const { signal } = new AbortController();
  const calls: [RequestInit, FetchOptions][] = [[{}, { buffer: true }], [{ signal }, {}]];
  for (const [init, options] of calls) {
    const response = await send(new ScriptedServer(described), URL_, init, options);
    assertInstanceOf(response, Response);
    for (const each of [response.clone().clone(), response]) {
      assertEquals(each.url, "https://other.example/");
      assertEquals([each.redirected, each.type as string, each.status], [
        true,
        "cors",
        200,
      ]);
      assertEquals([each.headers.get("x-other"), await each.text()], ["1", "up"]);
    }
  }
});

Deno.test("fetchWith() returns what `read` returns, and cancels what it leaves", async () => {
  const server = new ScriptedServer(503, 200);
  const read = (response: Response) => response.status;
  const { clock, fetch } = server;
  const status = await clock.run(fetchWith({ ...FIXED, clock }, { fetch, read })(URL_));
  assertEquals([status, server.open, server.cancelled], [200, 0, 2]);
});

Deno.test("fetchWith() retries what `read` throws only when it may pass", async () => {
  const read = async (response: Response) => await (await checked(response)).text();
  const missing = new ScriptedServer(404);
  const get = fetchWith({ ...FIXED, clock: missing.clock }, { fetch: missing.fetch, read });
  const error = await missing.clock.run(get(URL_).catch((error) => error));
  assertEquals([error.status, missing.received.length, missing.open], [404, 1, 0]);

  const errors = [refused(), new SyntaxError("no JSON")];
  const server = new ScriptedServer(200);
  const failing = fetchWith({ ...FIXED, clock: server.clock }, {
    fetch: server.fetch,
    read: () => Promise.reject(errors.shift()),
  });
  await server.clock.run(assertRejects(() => failing(URL_), SyntaxError));
  assertEquals([server.instants, server.open], [[0, 100], 0]);
});

Deno.test("fetchWith() gives the last answer to `read`, within what is left of the limits", async () => {
  const server = new ScriptedServer(500, { status: 503, body: "down" });
  const read = (response: Response) => response.text();
  const policy = { ...FIXED, clock: server.clock, maxTries: 2 };
  const text = await server.clock.run(
    fetchWith(policy, { fetch: server.fetch, read })(URL_),
  );
  assertEquals([text, server.open], ["down", 0]);

  const slow = new ScriptedServer(500, stalled(503));
  const call = fetchWith({ ...policy, clock: slow.clock }, {
    fetch: slow.fetch,
    read,
  })(URL_);
  const error = await slow.clock.run(call.catch((error) => error));
  assertInstanceOf(error, HttpError);
  assertEquals([error.status, slow.clock.now(), slow.open], [503, 1100, 0]);

  const aborted = new ScriptedServer(stalled(503));
  const controller = new AbortController();
  aborted.clock.after(50, () => controller.abort("enough"));
  const other = fetchWith({ ...policy, clock: aborted.clock, maxTries: 1 }, {
    fetch: aborted.fetch,
    read,
  })(URL_, controller);
  assertEquals(await aborted.clock.run(other.catch((error) => error)), "enough");
  assertEquals([aborted.clock.now(), aborted.open], [50, 0]);
});

Deno.test("fetchWith() looks the global fetch up at each call, and shows what is on it", async () => {
  const original = globalThis.fetch;
  try {
    globalThis.fetch = undefined as unknown as typeof fetch;
    const get = fetchWith({ maxTries: 1 });
    await assertRejects(() => get(URL_), TypeError, "not a function");
    globalThis.fetch = () => Promise.resolve(new Response("replaced"));
    assertEquals(await (await get(URL_)).text(), "replaced");
  } finally {
    globalThis.fetch = original;
  }
  const own = Object.assign(() => Promise.resolve(new Response("up")), { preconnect: 7 });
  const shown = fetchWith({}, { fetch: own as unknown as typeof fetch });
  assertEquals((shown as unknown as { preconnect: number }).preconnect, 7);
  const type: typeof fetch = shown;
  assertEquals(typeof type, "function");
});

Deno.test("fetchWith() rejects, and never throws, when the arguments of a call are wrong", async () => {
  const server = new ScriptedServer(200);
  const get = fetchOf(server);
  for (const [input, init] of [["http://[", {}], [URL_, { signal: 7 }]]) {
    await assertRejects(() => get(input as string, init as RequestInit), Error);
  }
  assertEquals(server.received.length, 0);
});
