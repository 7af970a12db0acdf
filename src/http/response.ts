/**
 * Bodies of answers: cancelled, buffered, or aborted later.
 *
 * @module
 */

import { onAbort, reasonOf, type Signal } from "../time/signal.ts";

/**
 * Cancels a body, so that its connection is free. A body that is locked or has ended stays as
 * it is.
 *
 * @param message The answer, or a request.
 */
export async function discard(
  message: { readonly body?: { cancel(): Promise<void> } | null },
): Promise<void> {
  try {
    await message.body?.cancel();
  } catch {
    // Nobody is interested in a body that is given up.
  }
}

/**
 * Reads the body of an answer.
 *
 * @param response The answer.
 * @returns The same answer, whose body is in memory.
 */
export async function buffered(response: Response): Promise<Response> {
  const bytes = await response.arrayBuffer();
  return withBody(response, bytes.byteLength > 0 ? bytes : null);
}

/**
 * Makes the body of an answer end when a signal is aborted. The listener ends with the body:
 * when it is read to its end, fails, or is cancelled.
 *
 * @param response The answer.
 * @param signal The signal, which is not aborted yet.
 * @param controller Aborts the request of the answer.
 * @returns The same answer with another body.
 */
export function abortable(
  response: Response,
  signal: Signal,
  controller: AbortController,
): Response {
  if (response.body === null) return response;
  let stream: ReadableStreamDefaultController<Uint8Array>;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  // The answer itself is kept: some platforms cancel the body of one that is collected.
  const open = () => reader ??= (response.body as ReadableStream<Uint8Array>).getReader();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void (stream = controller),
    async pull() {
      try {
        const { done, value } = await open().read();
        if (!done) return stream.enqueue(value);
        unlisten();
        stream.close();
      } catch (error) {
        unlisten();
        throw error;
      }
    },
    cancel(reason) {
      unlisten();
      return open().cancel(reason);
    },
  }, { highWaterMark: 0 });
  let isAborted = false;
  let reason: unknown;
  const unlisten = onAbort(signal, () => () => {
    isAborted = true;
    reason = reasonOf(signal);
    unlisten();
    stream.error(reason);
    open().cancel(reason).catch(() => {}); // in case the function that sends ignores its signal
    controller.abort(reason);
  });
  const made = withBody(response, body);
  // Chromium has an error of its own for a body that fails, whatever the reason.
  for (const name of READERS.filter((name) => name in made)) {
    const read = made[name];
    const value = () =>
      read.call(made).catch((error: unknown) => {
        throw isAborted ? reason : error;
      });
    Object.defineProperty(made, name, { value });
  }
  return made;
}

/** The methods that read a body to its end. */
const READERS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;

/** Makes an answer with another body. */
function withBody(response: Response, body: BodyInit | null): Response {
  const { status, statusText, headers } = response;
  // Servers send statuses that a constructor refuses, such as 999, and a 205 with a body.
  const isPlain = status >= 200 && status <= 599 &&
    (body === null || ![204, 205, 304].includes(status));
  const made = new Response(body, { status: isPlain ? status : 200, statusText, headers });
  return described(made, response);
}

/** The properties of an answer that its constructor cannot set, or refuses. */
const DEFINED = ["status", "ok", "url", "redirected", "type"] as const;

function described(made: Response, response: Response): Response {
  for (const name of DEFINED) {
    Object.defineProperty(made, name, { value: response[name] });
  }
  const clone = () => described(Response.prototype.clone.call(made), made);
  return Object.defineProperty(made, "clone", { value: clone });
}
