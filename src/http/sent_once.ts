/**
 * Requests that a platform must not send twice by itself. Deno and Bun send a request again, a
 * POST too, if a connection that they reuse is closed without an answer. A connection of its own
 * prevents that.
 *
 * @module
 */

/** The parts of the platforms that matter here. */
interface Platform {
  readonly Bun?: unknown;
  readonly Deno?: {
    createHttpClient?(options: { poolMaxIdlePerHost: number }): { close(): void };
  };
}

/**
 * Calls a function with the options by which a platform's fetch uses a connection of its own.
 *
 * @param init The options of the request. Those that the caller has chosen stay.
 * @param send Sends the request.
 * @param platform The platform, for tests. Default: `globalThis`.
 * @returns The answer.
 */
export async function sentOnce(
  init: RequestInit & { client?: unknown },
  send: (init: RequestInit) => Promise<Response>,
  { Bun, Deno }: Platform = globalThis as Platform,
): Promise<Response> {
  if (Bun !== undefined) return await send({ keepalive: false, ...init });
  if (init.client !== undefined) return await send(init);
  const client = Deno?.createHttpClient?.({ poolMaxIdlePerHost: 0 });
  if (client === undefined) return await send(init);
  try {
    return await send({ ...init, client } as RequestInit);
  } finally {
    client.close(); // an answer that has begun goes on
  }
}
