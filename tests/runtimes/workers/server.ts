// A server on localhost that misbehaves, and records its requests.

/** The requests for a path. */
interface Seen {
  requests: number;
  /** The number of them that the client aborted. */
  aborted: number;
}

/** A server that misbehaves. */
export interface Server extends AsyncDisposable {
  readonly origin: string;
  /**
   * Returns the requests for an address, once so many were aborted or after two seconds.
   */
  see(address: string, aborted: number): Promise<Seen>;
}

/** The first request for a path of this name that succeeds. */
const answered: Record<string, number> = { first: 1, second: 2, third: 3 };
/** These paths answer with an error. The others begin an answer that never ends. */
const isDown = (name: string) => name === "down" || name === "third";

/** Starts a server. */
export function startServer(): Server {
  const all = new Map<string, Seen>();
  const seenOf = (address: string) => {
    const seen = all.get(address) ?? { requests: 0, aborted: 0 };
    all.set(address, seen);
    return seen;
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, ({ url }) => {
    const name = url.slice(url.lastIndexOf("/") + 1);
    const seen = seenOf(url);
    if (++seen.requests === answered[name]) return new Response("up");
    if (isDown(name)) return new Response("down", { status: 503 });
    const cancel = () => void seen.aborted++;
    return new Response(new ReadableStream({ cancel })); // never ends
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    async see(address, aborted) {
      const seen = seenOf(address);
      for (let turn = 0; turn < 100 && seen.aborted < aborted; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { ...seen };
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
