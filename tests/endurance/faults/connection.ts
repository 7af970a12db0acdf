// One connection to the proxy, and the one behind it. Its requests come one after the other.

import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { lengthOf } from "./body.ts";
import type { Fate } from "./scenarios.ts";

/** Whom a connection asks, and tells. */
interface Listener {
  /** A request for a page has come. */
  fate(page: number): Fate;
  /** The server cannot be reached, or has broken off. */
  serverGone(): void;
  closed(): void;
}

/** The head of an answer is no shorter. */
const HEAD = 80;
/** So many pieces there are of what is trickled. */
const PIECES = 16;

/** A client's socket, and the server's. */
export class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #listener: Listener;
  readonly #over = new AbortController();
  #fate: Fate = { kind: "passed on", share: 0, pace: 0 };
  /** How many bytes are passed on before the fate strikes. */
  #beforeFate = 0;
  /** How many bytes are still to come; any number, where their end is the connection's. */
  #rest = 0;
  /** What is passed on, in its order. */
  #passing: Promise<void> = Promise.resolve();

  constructor(client: Socket, port: number, listener: Listener) {
    this.#client = client;
    this.#server = connect(port, "127.0.0.1");
    this.#listener = listener;
    client.on("error", () => {}); // it is closed next
    client.on("close", () => this.#end());
    client.on("data", (bytes) => this.#ask(bytes));
    this.#server.on("error", () => this.#lose());
    this.#server.on("data", (bytes) => this.#then(() => this.#pass(bytes)));
    this.#server.on("close", () => this.#then(() => void client.end()));
  }

  /** Whether an answer is under way. */
  get isBusy(): boolean {
    return this.#rest > 0;
  }

  close(): void {
    this.#client.destroy();
  }

  /** A reset of a socket that is ending already hangs Node when its process exits. */
  #reset(): void {
    if (this.#client.writableEnded) this.#client.destroy();
    else this.#client.resetAndDestroy();
  }

  #end(): void {
    this.#rest = 0;
    this.#over.abort();
    this.#server.destroy();
    this.#listener.closed();
  }

  #lose(): void {
    if (this.#over.signal.aborted) return;
    this.#listener.serverGone();
    this.#reset();
  }

  /** A request has no body, and comes in one piece. */
  #ask(bytes: Uint8Array): void {
    const page = Number(/^GET \/(\d+) /.exec(new TextDecoder().decode(bytes))?.[1]);
    if (!Number.isInteger(page)) throw new Error("Cannot tell the page of a request");
    const length = lengthOf(page);
    this.#fate = this.#listener.fate(page);
    this.#beforeFate = Math.floor(HEAD + this.#fate.share * length);
    this.#rest = page % 2 === 0 ? HEAD + length : Infinity;
    if (this.#fate.kind === "reset before the body") this.#reset();
    else this.#server.write(bytes);
  }

  /** Once the connection is over, waits reject, and there is nobody to tell. */
  #then(act: () => void | Promise<void>): void {
    this.#passing = this.#passing.then(act).catch((error) => {
      if (!this.#over.signal.aborted) throw error;
    });
  }

  async #pass(bytes: Uint8Array): Promise<void> {
    const { kind, pace } = this.#fate;
    if (kind === "passed on") return this.#write(bytes);
    if (kind === "delayed") {
      this.#fate = { ...this.#fate, kind: "passed on" };
      await this.#wait(pace);
      return this.#write(bytes);
    }
    if (kind === "trickled") return await this.#trickle(bytes, pace);
    this.#write(bytes.subarray(0, this.#beforeFate));
    this.#beforeFate -= Math.min(bytes.length, this.#beforeFate);
    if (this.#beforeFate === 0) await this.#strike();
  }

  async #strike(): Promise<void> {
    const { kind } = this.#fate;
    if (kind === "reset in the middle") this.#reset();
    if (kind === "truncated") this.#client.end();
    await this.#wait(60_000); // stalled: until whoever asked has gone
  }

  async #trickle(bytes: Uint8Array, pace: number): Promise<void> {
    const size = Math.ceil(bytes.length / PIECES);
    for (let from = 0; from < bytes.length; from += size) {
      this.#write(bytes.subarray(from, from + size));
      await this.#wait(pace);
    }
  }

  #write(bytes: Uint8Array): void {
    this.#rest -= bytes.length;
    this.#client.write(bytes);
  }

  #wait(ms: number): Promise<void> {
    return wait(ms, undefined, { signal: this.#over.signal });
  }
}
