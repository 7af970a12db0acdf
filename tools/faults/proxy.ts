// A proxy on loopback that breaks what passes through it: each request has its fate.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Connection } from "./connection.ts";
import { fateOf } from "./fates.ts";

/** Listens on a port of its own, and passes on to another. */
export class Proxy {
  readonly #seed: number;
  readonly #behind: number;
  readonly #onRequest: (page: number) => void;
  readonly #connections = new Set<Connection>();
  readonly #requests = new Map<number, number>();
  #listener: Server | null = null;
  #port = 0;
  /** How often each thing came up. */
  readonly counts: Record<string, number> = {};

  constructor(seed: number, behind: number, onRequest: (page: number) => void) {
    this.#seed = seed;
    this.#behind = behind;
    this.#onRequest = onRequest;
  }

  /** Where it listens, also when it is shut. */
  get port(): number {
    return this.#port;
  }

  /** How many answers are under way. */
  get busy(): number {
    return [...this.#connections].filter(({ isBusy }) => isBusy).length;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    this.#listener = createServer((client) => this.#connect(client));
    this.#listener.listen(this.#port, "127.0.0.1");
    await once(this.#listener, "listening");
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** Refuses connections from now on; those there are go on. */
  shut(): void {
    this.#listener?.close();
    this.#listener = null;
  }

  /** Ends all. */
  close(): void {
    this.shut();
    for (const connection of this.#connections) connection.close();
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #connect(client: Socket): void {
    this.#count("connections");
    const connection = new Connection(client, this.#behind, {
      fate: (page) => {
        this.#onRequest(page);
        const before = this.#requests.get(page) ?? 0;
        this.#requests.set(page, before + 1);
        const fate = fateOf(this.#seed, page, before);
        this.#count(fate.kind);
        return fate;
      },
      serverGone: () => this.#count("server gone"),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }
}
