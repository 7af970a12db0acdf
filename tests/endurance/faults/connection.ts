// A connection to the proxy, and the one from there to the server. Requests come one at a
// time.

import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { lengthOf } from "./body.ts";
import type { Scenario } from "./scenarios.ts";

/** Receives the events of a connection. */
interface Listener {
  /** A request for a page has arrived. Returns the scenario to play. */
  requested(page: number): Scenario;
  /** The server cannot be reached, or has closed the connection with an error. */
  serverGone(): void;
  closed(): void;
}

/** The length of the shortest head of an answer. */
const HEAD = 80;
/** The number of pieces of an answer that is trickled. */
const PIECES = 16;

/** A client's socket, and the server's. */
export class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #listener: Listener;
  readonly #over = new AbortController();
  #scenario: Scenario = { kind: "passed on", share: 0, pace: 0 };
  /** The number of bytes that are passed on before the fault. */
  #beforeFault = 0;
  /**
   * The number of bytes that are still expected; `Infinity` if the end of the connection ends them.
   */
  #rest = 0;
  /** The beginning of a request that has not arrived in full. */
  #asked = "";
  /** Keeps the order in which bytes are passed on. */
  #passing: Promise<void> = Promise.resolve();

  constructor(client: Socket, port: number, listener: Listener) {
    this.#client = client;
    this.#server = connect(port, "127.0.0.1");
    this.#listener = listener;
    client.on("error", () => {}); // "close" follows
    client.on("close", () => this.#end());
    client.on("data", (bytes) => this.#ask(bytes));
    this.#server.on("error", () => this.#lose());
    this.#server.on("data", (bytes) => this.#then(() => this.#pass(bytes)));
    this.#server.on("close", () => this.#then(() => void client.end()));
  }

  /** Whether an answer is in flight. */
  get isBusy(): boolean {
    return this.#rest > 0;
  }

  close(): void {
    this.#client.destroy();
  }

  /** A reset of a socket that is already ending makes Node hang when its process exits. */
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

  /** A request may arrive in pieces. Its head tells the length of its body. */
  #ask(bytes: Uint8Array): void {
    this.#asked += new TextDecoder().decode(bytes);
    const asked = this.#asked;
    const end = asked.indexOf("\r\n\r\n") + 4;
    const body = Number(/\r\ncontent-length: *(\d+)/i.exec(asked.slice(0, end))?.[1] ?? 0);
    if (end < 4 || asked.length < end + body) return;
    this.#asked = "";
    const page = Number(/^[A-Z]+ \/(\d+) /.exec(asked)?.[1]);
    if (!Number.isInteger(page)) {
      throw new Error("Cannot read a request: its path must be the number of a page");
    }
    const length = lengthOf(page);
    this.#scenario = this.#listener.requested(page);
    const { kind, share, answer } = this.#scenario;
    if (answer !== undefined) return void this.#client.write(answer);
    this.#beforeFault = Math.floor(HEAD + share * length);
    this.#rest = page % 2 === 0 ? HEAD + length : Infinity;
    if (kind === "reset before the body") this.#reset();
    else this.#server.write(asked);
  }

  /** Waits reject when the connection has ended. Those rejections are ignored. */
  #then(act: () => void | Promise<void>): void {
    this.#passing = this.#passing.then(act).catch((error) => {
      if (!this.#over.signal.aborted) throw error;
    });
  }

  async #pass(bytes: Uint8Array): Promise<void> {
    const { kind, pace } = this.#scenario;
    if (kind === "passed on") return this.#write(bytes);
    if (kind === "delayed") {
      this.#scenario = { ...this.#scenario, kind: "passed on" };
      await this.#wait(pace);
      return this.#write(bytes);
    }
    if (kind === "trickled") return await this.#trickle(bytes, pace);
    this.#write(bytes.subarray(0, this.#beforeFault));
    this.#beforeFault -= Math.min(bytes.length, this.#beforeFault);
    if (this.#beforeFault === 0) await this.#strike();
  }

  async #strike(): Promise<void> {
    const { kind } = this.#scenario;
    if (kind === "reset in the middle") this.#reset();
    if (kind === "truncated") this.#client.end();
    await this.#wait(60_000); // stalled until the client has gone
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
