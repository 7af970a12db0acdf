// A proxy on loopback that breaks connections: each request follows a scenario.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Tally } from "../../support/tally.ts";
import { Connection } from "./connection.ts";
import { type Scenario, scenarioOf } from "./scenarios.ts";

/** Listens on a port of its own, and passes requests on to another port. */
export class Proxy {
  readonly #seed: number;
  readonly #behind: number;
  readonly #onRequest: (page: number, before: number) => void;
  readonly #scenarioOf: typeof scenarioOf;
  readonly #connections = new Set<Connection>();
  readonly #requests = new Map<number, number>();
  #listener: Server | null = null;
  #port = 0;
  /** The number of times that each fault and event happened. */
  readonly counts = new Tally();

  constructor(
    seed: number,
    behind: number,
    onRequest: (page: number, before: number) => void,
    scenarios: (seed: number, page: number, before: number) => Scenario = scenarioOf,
  ) {
    this.#seed = seed;
    this.#behind = behind;
    this.#onRequest = onRequest;
    this.#scenarioOf = scenarios;
  }

  /** The port. It stays the same while connections are refused. */
  get port(): number {
    return this.#port;
  }

  /** The number of answers in flight. */
  get busy(): number {
    return [...this.#connections].filter(({ isBusy }) => isBusy).length;
  }

  /** Starts to listen. */
  async open(): Promise<void> {
    this.#listener = createServer((client) => this.#connect(client));
    this.#listener.listen(this.#port, "127.0.0.1");
    await once(this.#listener, "listening");
    this.#port = (this.#listener.address() as AddressInfo).port;
  }

  /** Refuses connections for a moment, again and again, until `calm` is aborted. */
  async refuse(random: () => number, calm: AbortSignal): Promise<void> {
    while (await wait(100 + random() * 500, true, { signal: calm }).catch(() => false)) {
      this.#listener?.close(); // open connections stay open
      this.counts.add("pauses in listening");
      await wait(random() * 50);
      await this.open();
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#listener?.close();
    for (const connection of this.#connections) connection.close();
  }

  #connect(client: Socket): void {
    this.counts.add("connections");
    const connection = new Connection(client, this.#behind, {
      requested: (page) => {
        const before = this.#requests.get(page) ?? 0;
        this.#onRequest(page, before);
        this.#requests.set(page, before + 1);
        const scenario = this.#scenarioOf(this.#seed, page, before);
        this.counts.add(scenario.kind);
        return scenario;
      },
      serverGone: () => this.counts.add("server gone"),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }
}
