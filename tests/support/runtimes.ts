// Runs scripts of tests/endurance/ on the installed npm package, by its name, in Node, Deno
// and Bun, or in those of them that are named as arguments. A script's output is passed on
// as it comes. Its process must succeed, and must exit as soon as it has printed its last
// line.
//
// Arguments: `--small` asks for the small run, `--seed=…` repeats the random choices of a
// run.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeProject } from "./project.ts";

/** A runtime, in a project with the package. */
export interface Runtime {
  readonly name: string;
  /** The folder of the project, for files that a script needs. */
  readonly folder: string;
  /** Bundles a script that another one starts, and returns its path. */
  build(script: string): Promise<string>;
  /** Runs a script of tests/endurance/, such as "time/limits.ts", with arguments. */
  run(script: string, args: readonly (string | number)[], env?: Environment): Promise<void>;
}

type Environment = Record<string, string>;

const scripts = new URL("../endurance/", import.meta.url);
/** The longest time from the last line of a process to its exit, in ms. */
const MAX_EXIT = 5000;
/** The longest time that a process may run, in ms. */
const MAX_RUN = 15 * 60_000;

/** Whether the small run is wanted. */
export const isSmall = Deno.args.includes("--small");

/** Determines all random choices. */
export const seed = Number(
  Deno.args.find((each) => each.startsWith("--seed="))?.slice("--seed=".length) ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);

/**
 * Calls a function with each runtime that is wanted.
 *
 * @param act The function.
 * @param packages Packages of npm that the scripts import. They are not bundled.
 */
export async function inRuntimes(
  act: (runtime: Runtime) => Promise<void>,
  packages: readonly string[] = [],
): Promise<void> {
  const named = Deno.args.filter((each) => !each.startsWith("--"));
  const names = named.length > 0 ? named : ["node", "deno", "bun"];
  await using project = await makeProject(
    ...names.includes("bun") ? ["bun@1.4"] : [],
    ...packages,
  );
  const external = packages.map((each) => each.replace(/(?<=.)@.*/, ""));
  const commands: Record<string, [command: string, ...flags: string[]]> = {
    node: ["node", "--expose-gc"],
    deno: [Deno.execPath(), "run", "-A", "-q", "--v8-flags=--expose-gc"],
    bun: [`${project.folder}/node_modules/bun/bin/bun.exe`],
  };
  const build = (script: string) => bundle(script, project.folder, external);
  for (const name of names) {
    const command = commands[name];
    if (command === undefined) {
      throw new Error(
        `Cannot run scripts: the runtime must be node, deno or bun, got ${name}`,
      );
    }
    const run: Runtime["run"] = async (script, args, env = {}) => {
      await runIn(
        project.folder,
        [...command, await build(script), ...args.map(String)],
        env,
      );
    };
    await act({ name, folder: project.folder, build, run });
  }
  await esbuild.stop();
}

/** Bundles a script, because Node 20 cannot run TypeScript. */
async function bundle(
  script: string,
  folder: string,
  packages: readonly string[],
): Promise<string> {
  const outfile = `${folder}/${script.replace(/\.ts$/, ".mjs")}`;
  await esbuild.build({
    entryPoints: [new URL(script, scripts).pathname],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["@asyncbackoff/*", "node:*", "bun:*", ...packages],
  });
  return outfile;
}

async function runIn(
  cwd: string,
  [command = "", ...args]: readonly string[],
  env: Environment,
): Promise<void> {
  const signal = AbortSignal.timeout(MAX_RUN);
  const process = new Deno.Command(command, { args, cwd, env, signal, stdout: "piped" })
    .spawn();
  let printedAt = performance.now();
  for await (const bytes of process.stdout) {
    printedAt = performance.now();
    await Deno.stdout.write(bytes);
  }
  const { success } = await process.status;
  const took = performance.now() - printedAt;
  const words = [command, ...args].join(" ");
  if (!success) throw new Error(`${words} failed`);
  if (took > MAX_EXIT) throw new Error(`${words} exited ${took} ms after its last line`);
}
