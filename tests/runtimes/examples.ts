// Runs the recipes in examples/, or those that are named as arguments. Each runs in a
// process of its own, with the permissions that its first lines name. Prints which ran, and
// which were skipped and why. Exits with 1 if one failed or did not end, or if none ran.

import { Backoff } from "@asyncbackoff/asyncbackoff";
import { SKIPPED } from "../../examples/servers/program.ts";

const folder = new URL("../../examples/", import.meta.url);

/** One attempt of at most two minutes, which includes the download of packages. */
const once = new Backoff({ attemptTimeout: 120_000, maxTries: 1 });

async function namesOfAll(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    // The demo has a task of its own.
    if (isFile && name !== "demo.ts") names.push(name.replace(/\.ts$/, ""));
  }
  return names.sort();
}

/** The arguments of the line "deno run … examples/name.ts" at the start of an example. */
async function argumentsOf(name: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(`${name}.ts`, folder));
  const flags = /^\/\/ deno run (.*?) ?examples\//m.exec(text)?.[1];
  if (flags === undefined) {
    throw new Error(`Cannot run '${name}': its first lines must say how`);
  }
  return ["run", "-q", ...flags.split(" ").filter(Boolean), `examples/${name}.ts`];
}

async function run(name: string): Promise<number> {
  const args = await argumentsOf(name);
  const cwd = new URL("../../", import.meta.url);
  return await once.execute(async ({ signal }) => {
    const child = new Deno.Command("deno", { args, cwd, signal, stdin: "null" }).spawn();
    return (await child.status).code;
  });
}

const all = await namesOfAll();
const wanted = Deno.args.length > 0 ? Deno.args : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`Cannot run ${unknown.join(", ")}: must be one of ${all.join(", ")}`);
  Deno.exit(1);
}
const ends: Record<"ran" | "skipped" | "failed", string[]> = {
  ran: [],
  skipped: [],
  failed: [],
};
for (const name of wanted) {
  console.log(`\n${name}`);
  const code = await run(name).catch((error) => {
    console.error(`${error}`);
    return 1;
  });
  ends[code === 0 ? "ran" : code === SKIPPED ? "skipped" : "failed"].push(name);
}
console.log();
for (const [end, names] of Object.entries(ends)) {
  if (names.length > 0) console.log(`${names.length} ${end}: ${names.join(", ")}`);
}
if (ends.failed.length > 0) Deno.exit(1);
if (ends.ran.length === 0) {
  console.error("Cannot tell whether the examples work: at least one must run");
  Deno.exit(1);
}
