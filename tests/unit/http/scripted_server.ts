// A fetch without a network, that answers by a script, on a test clock.

import { sleep } from "@asyncbackoff/asyncbackoff";
import type { Fetch } from "@asyncbackoff/asyncbackoff/http";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";

/** A status, with headers and a body; an error that is thrown; or an answer of one's own. */
export type Step =
  | number
  | { status: number; headers?: Record<string, string>; body?: string; after?: number }
  | Error
  | ((server: ScriptedServer) => Response | Promise<Response>);

/** A request that the server received. */
export interface Received {
  readonly at: number;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Plays a script. The last step is repeated. */
export class ScriptedServer {
  readonly clock = new TestClock();
  readonly received: Received[] = [];
  /** The bodies that were sent, and how many of them were cancelled. */
  open = 0;
  cancelled = 0;
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  /** The instants of the requests. */
  get instants(): number[] {
    return this.received.map(({ at }) => at);
  }

  /** A function of the type of `fetch`. */
  readonly fetch: Fetch = async (input, init) => {
    const signal = init?.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const request = new Request(input, { ...init, signal: null });
    const { method, headers } = request;
    const at = this.clock.now();
    const entry = { at, method, headers, signal, body: "" };
    this.received.push(entry);
    const { body } = init ?? {};
    if (typeof body === "string") entry.body = body;
    else if (request.body !== null) entry.body = await request.text();
    const step = this.#steps.length > 1 ? this.#steps.shift() : this.#steps[0];
    if (step instanceof Error) throw step;
    if (typeof step === "function") return await step(this);
    const { status, after = 0, ...rest } = typeof step === "object"
      ? step
      : { status: step ?? 500 };
    if (after > 0) await sleep(after, { clock: this.clock, signal });
    return this.answer(status, rest);
  };

  /** An answer whose body is counted until it is read or cancelled. */
  answer(
    status: number,
    { headers = {}, body = `answer ${status}` }: {
      headers?: Record<string, string>;
      body?: string;
    } = {},
  ): Response {
    this.open += 1;
    const chunks = [new TextEncoder().encode(body)];
    const stream = new ReadableStream({
      pull: (controller) => {
        const chunk = chunks.pop();
        if (chunk !== undefined) return controller.enqueue(chunk);
        this.open -= 1;
        controller.close();
      },
      cancel: () => {
        this.open -= 1;
        this.cancelled += 1;
      },
    }, { highWaterMark: 0 });
    return readInMicrotasks(new Response(stream, { status, headers }));
  }
}

/** Platforms read a body in turns of their own, which a test clock does not wait for. */
function readInMicrotasks(response: Response): Response {
  const text = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of chunksOf(response)) text += decoder.decode(chunk);
    return text;
  };
  const arrayBuffer = async () => new TextEncoder().encode(await text()).buffer;
  return Object.defineProperties(response, {
    text: { value: text },
    arrayBuffer: { value: arrayBuffer },
  });
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = await reader?.read() ?? {};
    if (done || value === undefined) return;
    yield value;
  }
}

/** A step whose body never ends, unless its request is aborted or it is cancelled. */
export const stalled = (status = 200) => (server: ScriptedServer): Response => {
  const { signal } = server.received.at(-1) as Received;
  server.open += 1;
  let isOpen = true;
  const close = () => {
    if (isOpen) server.open -= 1;
    isOpen = false;
  };
  const stream = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode("half"));
      signal.addEventListener("abort", () => {
        if (isOpen) controller.error(signal.reason);
        close();
      });
    },
    cancel: () => {
      server.cancelled += 1;
      close();
    },
  });
  return readInMicrotasks(new Response(stream, { status }));
};

/** The error of a connection that was refused. */
export function refused(): TypeError {
  const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  return new TypeError("fetch failed", { cause });
}
