// A test runner for StrykerJS. It runs in Node. Each mutant is tried in a process of its
// own, which runs the tests that reach the mutant, and which can be killed if it never
// ends.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

class DenoTests {
  static inject = ["options"];
  #settings;
  #folder;

  constructor({ deno }) {
    this.#settings = deno;
  }

  /** Each mutant has a new process. */
  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    this.#folder = await mkdtemp(join(tmpdir(), "mutants-"));
  }

  async dispose() {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async dryRun({ timeout }) {
    const report = join(this.#folder, "report.json");
    const { code, output } = await this.#run({ report }, timeout);
    if (code === null) return { status: "timeout" };
    if (code !== 0) return { status: "error", errorMessage: output };
    return { status: "complete", ...JSON.parse(await readFile(report, "utf8")) };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, timeout }) {
    const state = { activeMutant: activeMutant.id, hitCount: 0, hitLimit };
    const { code, output } = await this.#run({ state, only: testFilter }, timeout);
    if (code === null) return { status: "timeout" };
    if (code === 0) return { status: "survived", nrOfTests: testFilter?.length ?? 0 };
    const failed = /^(.*) \.\.\. .*FAILED/m.exec(output)?.[1];
    return {
      status: "killed",
      killedBy: failed === undefined ? [] : [failed],
      failureMessage: output,
      nrOfTests: 1,
    };
  }

  async #run(task, timeout) {
    const { program, flags, runner, files, slow } = this.#settings;
    const path = join(this.#folder, "task.json");
    await writeFile(path, JSON.stringify({ files, slow, ...task }));
    const args = ["test", "-A", "--no-check", "--fail-fast", ...flags, runner, "--", path];
    return new Promise((resolve) => {
      const limits = { timeout: Math.floor(timeout * 0.9), killSignal: "SIGKILL" };
      execFile(
        program,
        args,
        { ...limits, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          const output = `${stdout}${stderr}`;
          const code = error === null ? 0 : error.killed ? null : error.code;
          resolve({ code, output });
        },
      );
    });
  }
}

/** Waives `true` in a record of names such as `namesOf({ window: true })`. */
const namesOnly = {
  shouldIgnore(path) {
    if (!path.isBooleanLiteral()) return undefined;
    const call = path.parentPath.parentPath?.parentPath;
    return call?.isCallExpression() && call.node.callee.name === "namesOf"
      ? "only the names of the record are used"
      : undefined;
  },
};

export const strykerPlugins = [
  { kind: "Ignore", name: "namesOnly", value: namesOnly },
  { kind: "TestRunner", name: "deno", injectableClass: DenoTests },
];
