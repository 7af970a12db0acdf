// The process of the server. It is killed from time to time, and started again on the same
// port.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** A server that is killed at random instants. */
export class MortalServer {
  readonly #script: string;
  #process: ChildProcess | null = null;
  port = 0;
  kills = 0;

  constructor(script: string) {
    this.#script = script;
  }

  /** Starts the server, in Node; resolves when it listens. */
  async start(): Promise<void> {
    const stdio = ["pipe", "pipe", "inherit"] as const;
    this.#process = spawn("node", [this.#script, `${this.port}`], { stdio: [...stdio] });
    const { stdout } = this.#process;
    if (stdout === null) {
      throw new Error("Cannot read the port of the server: its output must be piped");
    }
    const [printed] = await once(stdout, "data");
    this.port = Number(printed);
  }

  /**
   * Kills and restarts the server again and again. Kills it for good when `calm` is
   * aborted.
   */
  async die(random: () => number, calm: AbortSignal): Promise<void> {
    while (await wait(2000 + random() * 3000, true, { signal: calm }).catch(() => false)) {
      await this.#kill();
      this.kills += 1;
      await wait(random() * 200);
      await this.start();
    }
    await this.#kill();
  }

  /** Kills the server for good. */
  async stop(): Promise<void> {
    await this.#kill();
  }

  async #kill(): Promise<void> {
    if (this.#process?.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}
