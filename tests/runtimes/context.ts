// Attempts that are followed through async context, on the installed npm package: in Node, Deno
// and Bun with both builds side by side, and in Cloudflare's runtime with `nodejs_compat`.
//
// The arguments name runtimes: node20, node22, node24, deno, bun, workerd. All of them run if
// none is named.

import { makeProject } from "../support/project.ts";
import { pathOf } from "../support/run.ts";
import { startWorker } from "./workers/runtime.ts";

const CHECKS = pathOf("tests/runtimes/context/checks.js");

/** The packages of npm that hold the runtimes. Deno and workerd need none. */
const packages: Record<string, string[]> = {
  node20: ["node20@npm:node@20"],
  node22: ["node22@npm:node@22"],
  node24: ["node24@npm:node@24"],
  deno: [],
  bun: ["bun@1.4"],
  workerd: [],
};

const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(packages);
const unknown = wanted.filter((name) => !(name in packages));
if (unknown.length > 0) {
  const names = Object.keys(packages).join(", ");
  throw new Error(`Cannot run: the runtime must be one of ${names}, got ${unknown}`);
}

await using project = await makeProject(...wanted.flatMap((name) => packages[name] ?? []));
const bin = (name: string, path: string) =>
  `${project.folder}/node_modules/${name}/bin/${path}`;

function commandOf(runtime: string): [command: string, ...args: string[]] {
  if (runtime === "deno") return [Deno.execPath(), "run", "-A", "-q"];
  return [bin(runtime, runtime === "bun" ? "bun.exe" : "node")];
}

async function runProgram(runtime: string): Promise<number> {
  const [command, ...args] = commandOf(runtime);
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

for (const runtime of wanted) {
  const count = await (runtime === "workerd" ? runWorker() : runProgram(runtime));
  if (!(count > 30)) throw new Error(`${runtime}: ${count} checks are too few`);
  console.log(`${runtime}: ${count} checks passed`);
}
