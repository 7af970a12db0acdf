// Runs scripts of tools/ on the installed npm package, by its name, in Node, Deno and Bun, or
// in those of them that are named as arguments. What a script prints is passed on as it comes;
// its process must succeed, and end by itself as soon as it has printed the last line.
//
// Arguments: `--small` asks for the small run, `--seed=…` for the same chance again.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeLab } from "./project.ts";

/** A runtime, with our scripts and the package beside it. */
export interface Runtime {
  readonly name: string;
  /** The folder of the lab, for what a script may write. */
  readonly folder: string;
  /** Makes a script that another one starts, and tells where it is. */
  build(script: string): Promise<string>;
  /** Runs a script, as "time/limits.ts", with arguments. */
  run(script: string, args: readonly (string | number)[], env?: Environment): Promise<void>;
}

type Environment = Record<string, string>;

/** How long a process may take to end when all is done, in ms, and how long it may last. */
const LONGEST_EXIT = 5000;
const LONGEST_RUN = 15 * 60_000;

/** Whether the small run is wanted. */
export const isSmall = Deno.args.includes("--small");

/** What determines all chance. */
export const seed = Number(
  Deno.args.find((each) => each.startsWith("--seed="))?.slice("--seed=".length) ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);

/** Does something in each runtime that is wanted. */
export async function inRuntimes(
  act: (runtime: Runtime) => Promise<void>,
): Promise<void> {
  const named = Deno.args.filter((each) => !each.startsWith("--"));
  const names = named.length > 0 ? named : ["node", "deno", "bun"];
  await using lab = await makeLab(...names.includes("bun") ? ["bun@1.4"] : []);
  const commands: Record<string, [command: string, ...flags: string[]]> = {
    node: ["node", "--expose-gc"],
    deno: [Deno.execPath(), "run", "-A", "-q", "--v8-flags=--expose-gc"],
    bun: [`${lab.folder}/node_modules/bun/bin/bun.exe`],
  };
  const build = (script: string) => bundle(script, lab.folder);
  for (const name of names) {
    const command = commands[name];
    if (command === undefined) {
      throw new Error(`Cannot run in '${name}': it must be node, deno or bun`);
    }
    const run: Runtime["run"] = async (script, args, env = {}) => {
      await runIn(lab.folder, [...command, await build(script), ...args.map(String)], env);
    };
    await act({ name, folder: lab.folder, build, run });
  }
  await esbuild.stop();
}

/** Node cannot run TypeScript everywhere, and a script may share code with others. */
async function bundle(script: string, folder: string): Promise<string> {
  const outfile = `${folder}/${script.replace(/\.ts$/, ".mjs")}`;
  await esbuild.build({
    entryPoints: [new URL(script, import.meta.url).pathname],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["@asyncbackoff/*", "node:*", "bun:*"],
  });
  return outfile;
}

async function runIn(
  cwd: string,
  [command = "", ...args]: readonly string[],
  env: Environment,
): Promise<void> {
  const signal = AbortSignal.timeout(LONGEST_RUN);
  const process = new Deno.Command(command, { args, cwd, env, signal, stdout: "piped" })
    .spawn();
  let printedAt = performance.now();
  for await (const bytes of process.stdout) {
    printedAt = performance.now();
    await Deno.stdout.write(bytes);
  }
  const { success } = await process.status;
  const took = performance.now() - printedAt;
  const what = [command, ...args].join(" ");
  if (!success) throw new Error(`${what} failed`);
  if (took > LONGEST_EXIT) throw new Error(`${what} ended ${took} ms after its last line`);
}
