// Real servers for the examples. They are found where Debian installs them, run in a
// temporary folder, and end with the process that started them.

/** The exit code of an example that did not run because a program is not installed. */
export const SKIPPED = 77;

/**
 * The path of a program in the first folder that has it. Without one, the example is
 * skipped.
 */
export async function find(
  program: string,
  folders: readonly string[],
  packageName: string,
): Promise<string> {
  for (const folder of folders) {
    const path = `${folder}/${program}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  console.log(`  skipped: there is no ${program} in ${folders.join(", ")}`);
  console.log(`  on Debian: apt-get install ${packageName}`);
  Deno.exit(SKIPPED);
}

/** A program that runs until it is stopped, and its temporary folder. */
export class Server implements AsyncDisposable {
  readonly folder: string;
  readonly #command: Deno.Command;
  readonly #stopBy: Deno.Signal;
  #child: Deno.ChildProcess | null = null;

  constructor(
    folder: string,
    path: string,
    options: Deno.CommandOptions,
    stopBy: Deno.Signal,
  ) {
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    this.folder = folder;
    this.#command = new Deno.Command(path, { ...quiet, cwd: folder, ...options });
    this.#stopBy = stopBy;
    // Cleans up, however the example ends.
    Deno.addSignalListener("SIGTERM", () => {
      this.#cleanUp();
      Deno.exit(143);
    });
    addEventListener("error", () => this.#cleanUp());
    addEventListener("unhandledrejection", () => this.#cleanUp());
  }

  /** Starts it without waiting until it is ready, because its clients retry. */
  start(): void {
    this.#child = this.#command.spawn();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    child?.kill(this.#stopBy);
    await child?.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }

  #cleanUp(): void {
    try {
      this.#child?.kill("SIGKILL");
      Deno.removeSync(this.folder, { recursive: true });
    } catch {
      // It is cleaned up already.
    }
  }
}
