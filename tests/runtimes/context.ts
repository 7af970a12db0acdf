// Attempts that are followed through async context, on the installed npm package: in Node, Deno
// and Bun with both builds side by side, and in Cloudflare's runtime with `nodejs_compat`.
//
// The arguments name runtimes: node20, node22, node24, deno, bun, workerd. All of them run if
// none is named.

import { makeProject } from "../support/project.ts";
import { pathOf } from "../support/run.ts";
import { startWorker } from "./workers/runtime.ts";

const CHECKS = pathOf("tests/runtimes/context/checks.js");

await using project = await makeProject(
  "bun@1.4",
  ...[20, 22, 24].map((version) => `node${version}@npm:node@${version}`),
);
const bin = (name: string, path: string) =>
  `${project.folder}/node_modules/${name}/${path}`;

const commands: Record<string, [command: string, ...args: string[]]> = {
  node20: [bin("node20", "bin/node")],
  node22: [bin("node22", "bin/node")],
  node24: [bin("node24", "bin/node")],
  deno: [Deno.execPath(), "run", "-A", "-q"],
  bun: [bin("bun", "bin/bun.exe")],
};

async function runProgram(runtime: string): Promise<number> {
  const [command, ...args] = commands[runtime] as [string, ...string[]];
  const printed = await project.run(command, [...args, "program.mjs"]);
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "").count;
}

async function runWorker(): Promise<number> {
  const worker = await startWorker(project, "context", ["checks.js"], ["nodejs_compat"]);
  await using _ = worker;
  return (await worker.ask<{ count: number }>({})).count;
}

await Deno.copyFile(CHECKS, `${project.folder}/checks.js`);
await Deno.copyFile(CHECKS, `${project.folder}/checks.mjs`);
const program = pathOf("tests/runtimes/context/program.mjs");
await Deno.copyFile(program, `${project.folder}/program.mjs`);

const wanted = Deno.args.length > 0 ? Deno.args : [...Object.keys(commands), "workerd"];
for (const runtime of wanted) {
  const isWorker = runtime === "workerd";
  if (!isWorker && commands[runtime] === undefined) {
    const names = [...Object.keys(commands), "workerd"].join(", ");
    throw new Error(`Cannot run: the runtime must be one of ${names}, got ${runtime}`);
  }
  const count = await (isWorker ? runWorker() : runProgram(runtime));
  if (!(count > 30)) throw new Error(`${runtime}: ${count} checks are too few`);
  console.log(`${runtime}: ${count} checks passed`);
}
