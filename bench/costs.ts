// Compares the times of the present sources with those of a commit, in Node, Deno and Bun, and
// prints the ratios. The argument is the commit.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeProject } from "../tests/support/project.ts";
import { run } from "../tests/support/run.ts";

/** The sources before limits on the real clock were exact, and stacks led to the caller. */
const BEFORE = "cec26eb";

interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const commit = Deno.args[0] ?? BEFORE;
const here = new URL(".", import.meta.url);
const root = new URL("..", here).pathname;
await using project = await makeProject("bun@1.4");
const { folder } = project;

async function bundle(tree: string, name: string): Promise<void> {
  await esbuild.build({
    entryPoints: [`${tree}/mod.ts`],
    outfile: `${folder}/${name}.mjs`,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
  });
}

await Deno.mkdir(`${folder}/before`);
await run("git", ["archive", "-o", `${folder}/before.tar`, commit, "mod.ts", "src"], {
  cwd: root,
});
await run("tar", ["-xf", `${folder}/before.tar`, "-C", `${folder}/before`]);
await bundle(`${folder}/before`, "before");
await bundle(root, "after");
await esbuild.stop();
for (const file of ["measure.js", "costs.js"]) {
  await Deno.copyFile(new URL(file, here), `${folder}/${file}`);
}

const commands: Record<string, [string, string[]]> = {
  node: ["node", ["--max-old-space-size=8000", "costs.js"]],
  deno: [Deno.execPath(), ["run", "-A", "-q", "costs.js"]],
  bun: [`${folder}/node_modules/.bin/bun`, ["costs.js"]],
};
const all: Record<string, Record<string, Summary>> = {};
for (const [runtime, [command, args]] of Object.entries(commands)) {
  const printed = await project.run(command, args);
  const line = printed.split("\n").filter((each) => each.startsWith("{")).at(-1) ?? "{}";
  all[runtime] = JSON.parse(line);
}

const shown = ({ median, low, high }: Summary) =>
  `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
const runtimes = Object.keys(all);
console.log(
  `Times as a multiple of those of ${commit}: medians, and quartiles in brackets.\n`,
);
console.log(
  `| case | ${runtimes.join(" | ")} |\n| --- |${" ---: |".repeat(runtimes.length)}`,
);
for (const name of Object.keys(all["node"] ?? {})) {
  const cells = runtimes.map((runtime) => {
    const summary = all[runtime]?.[name];
    return summary === undefined ? "" : shown(summary);
  });
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
