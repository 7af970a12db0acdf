// A server on localhost that misbehaves, and what it saw.

/** What was seen of a path. */
interface Seen {
  requests: number;
  /** How many of them were given up by whoever made them. */
  abandoned: number;
}

/** A server that misbehaves. */
export interface Server extends AsyncDisposable {
  readonly origin: string;
  /** Tells what was seen of an address, once so many requests were given up, or in a while. */
  see(address: string, abandoned: number): Promise<Seen>;
}

/** Which request for a path of this name is the first that is answered well. */
const answered: Record<string, number> = { first: 1, second: 2, third: 3 };
/** These get an answer, though a bad one; the others get the beginning of one. */
const isDown = (name: string) => name === "down" || name === "third";

/** Starts it. */
export function startServer(): Server {
  const all = new Map<string, Seen>();
  const seenOf = (address: string) => {
    const seen = all.get(address) ?? { requests: 0, abandoned: 0 };
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
    const cancel = () => void seen.abandoned++;
    return new Response(new ReadableStream({ cancel })); // it begins, and never ends
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    async see(address, abandoned) {
      const seen = seenOf(address);
      for (let tries = 0; tries < 100 && seen.abandoned < abandoned; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { ...seen };
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
