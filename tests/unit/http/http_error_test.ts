// HttpError, and checked(), which throws it.

import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { checked, HttpError } from "@asyncbackoff/asyncbackoff/http";
import { ScriptedServer, stalled } from "./scripted_server.ts";

Deno.test("HttpError has the parts of an answer and of its request", () => {
  const response = new Response(null, { status: 503, statusText: "Busy" });
  const error = new HttpError(response, {
    method: "GET",
    url: "https://a.example/",
    body: "b",
  });
  assertEquals([error.name, error.status, error.url], [
    "HttpError",
    503,
    "https://a.example/",
  ]);
  assertEquals([error.method, error.body], ["GET", "b"]);
  assertStrictEquals(error.headers, response.headers);
  const bare = new HttpError(new Response(null, { status: 500, statusText: "Down" }));
  assertEquals([bare.url, bare.method, bare.body], ["", null, ""]);
  assertEquals(bare.message, "The server answered 500 Down");
});

Deno.test("HttpError has a message without the secrets of the address", () => {
  const response = new Response(null, { status: 404, statusText: "Not Found" });
  const messageOf = (url: string) => new HttpError(response, { url }).message;
  assertEquals(
    messageOf("https://user:word@a.example/path?token=1#part"),
    "https://a.example/path answered 404 Not Found",
  );
  assertEquals(
    messageOf("https://a.example/#part"),
    "https://a.example/ answered 404 Not Found",
  );
});

Deno.test("HttpError prefers the address of the answer, which a redirect may have changed", () => {
  const response = Object.defineProperty(new Response(null, { status: 500 }), "url", {
    value: "https://b.example/",
  });
  assertEquals(
    new HttpError(response, { url: "https://a.example/" }).url,
    "https://b.example/",
  );
});

Deno.test("checked() returns a good answer itself, with its body", async () => {
  for (const status of [200, 201, 204, 299]) {
    const response = new Response(status === 204 ? null : "up", { status });
    assertStrictEquals(await checked(response), response);
    assertEquals(response.bodyUsed, false);
  }
});

Deno.test("checked() throws an HttpError for any other answer, whose body is cancelled", async () => {
  for (const status of [300, 304, 400, 404, 500, 599]) {
    const server = new ScriptedServer();
    const response = status === 304
      ? new Response(null, { status })
      : server.answer(status);
    const error = await checked(response, { method: "PUT" }).catch((error) => error);
    assertInstanceOf(error, HttpError);
    assertEquals([error.status, error.method, error.body, server.open], [
      status,
      "PUT",
      "",
      0,
    ]);
  }
});

Deno.test("checked() reads as many characters as it is asked for, and cancels the rest", async () => {
  const server = new ScriptedServer();
  const bodyOf = async (response: Response, maxBody: number) => {
    const error: HttpError = await checked(response, { maxBody }).catch((error) => error);
    return error.body;
  };
  assertEquals(await bodyOf(server.answer(500, { body: "abc" }), 2), "ab");
  assertEquals([server.open, server.cancelled], [0, 1]);
  assertEquals(await bodyOf(server.answer(500, { body: "äöü" }), 100), "äöü");
  assertEquals([server.open, server.cancelled], [0, 1]);
  assertEquals(await bodyOf(new Response(null, { status: 500 }), 100), "");
});

Deno.test("checked() keeps what has arrived of a body that breaks off", async () => {
  const server = new ScriptedServer(stalled(500));
  const controller = new AbortController();
  const response = await server.fetch("https://a.example/", controller);
  setTimeout(() => controller.abort(), 0);
  const error: HttpError = await checked(response, { maxBody: 100 }).catch((error) =>
    error
  );
  assertEquals([error.status, error.body], [500, "half"]);
});

Deno.test("checked() refuses wrong arguments", async () => {
  const wrong: [unknown, unknown, string][] = [
    [7, {}, "Cannot check an answer: 'response' must be a Response, got 7"],
    [
      fetch,
      {},
      "Cannot check an answer: 'response' must be a Response, got function fetch",
    ],
    [null, {}, "'response' must be a Response, got null"],
    [Promise.resolve(), {}, "'response' must be a Response, got an object (Promise)"],
    [new Response(), { maxbody: 1 }, "unknown option 'maxbody', did you mean 'maxBody'?"],
    [
      new Response(),
      { maxBody: "1" },
      "option 'maxBody' must be an integer >= 0, got \"1\"",
    ],
    [new Response(), { method: 7 }, "option 'method' must be a string, got 7"],
    [new Response(), 5, "the options must be an object, got 5"],
  ];
  for (const [response, options, message] of wrong) {
    await assertRejects(
      () => checked(response as Response, options as object),
      TypeError,
      message,
    );
  }
  await assertRejects(() => checked(new Response(), { maxBody: -1 }), RangeError, "got -1");
});
