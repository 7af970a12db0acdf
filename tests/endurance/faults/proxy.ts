// A proxy on loopback that breaks what passes through it: each request has its fate.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Tally } from "../../support/tally.ts";
import { Connection } from "./connection.ts";
import { fateOf } from "./scenarios.ts";

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
  readonly counts = new Tally();

  constructor(seed: number, behind: number, onRequest: (page: number) => void) {
    this.#seed = seed;
    this.#behind = behind;
    this.#onRequest = onRequest;
  }

  /** Where it listens, whether or not it does. */
  get port(): number {
    return this.#port;
  }

  /** How many answers are under way. */
  get busy(): number {
    return [...this.#connections].filter(({ isBusy }) => isBusy).length;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    this.#listener = createServer((client) => this.#connect(client));
    this.#listener.listen(this.#port, "127.0.0.1");
    await once(this.#listener, "listening");
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** Refuses connections for a moment, again and again, until all is to be calm. */
  async refuse(random: () => number, calm: AbortSignal): Promise<void> {
    while (await wait(100 + random() * 500, true, { signal: calm }).catch(() => false)) {
      this.#listener?.close(); // the connections there are go on
      this.counts.add("doors shut");
      await wait(random() * 50);
      await this.open();
    }
  }

  /** Ends all. */
  close(): void {
    this.#listener?.close();
    for (const connection of this.#connections) connection.close();
  }

  #connect(client: Socket): void {
    this.counts.add("connections");
    const connection = new Connection(client, this.#behind, {
      fate: (page) => {
        this.#onRequest(page);
        const before = this.#requests.get(page) ?? 0;
        this.#requests.set(page, before + 1);
        const fate = fateOf(this.#seed, page, before);
        this.counts.add(fate.kind);
        return fate;
      },
      serverGone: () => this.counts.add("server gone"),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }
}
