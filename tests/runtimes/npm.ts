// Runs the tests on both builds of the installed npm package in the runtimes that are named
// as arguments: node20, node22, node24, bun1.1 (the oldest supported) and bun; all of them
// if none is named. The runtimes come from npm.

import { bundleTests, neededPackages } from "../support/bundle.ts";
import { makeProject } from "../support/project.ts";

const runtimes: Record<string, [packageName: string, program: string]> = {
  node20: ["node@20", "node_modules/node20/bin/node"],
  node22: ["node@22", "node_modules/node22/bin/node"],
  node24: ["node@24", "node_modules/node24/bin/node"],
  "bun1.1": ["bun@1.1", "node_modules/bun1.1/bin/bun.exe"],
  bun: ["bun@latest", "node_modules/bun/bin/bun.exe"],
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(runtimes);

await using project = await makeProject(
  ...neededPackages,
  ...wanted.map((name) => `${name}@npm:${runtimes[name]?.[0]}`),
);
const builds = ["esm", "cjs"] as const;
const files: string[][] = [];
for (const build of builds) {
  const modules = await bundleTests(project, "node", {}, build);
  files.push(modules.map(({ path }) => path));
}
await Deno.copyFile(new URL("runner.js", import.meta.url), `${project.folder}/runner.js`);

for (const name of wanted) {
  const program = `${project.folder}/${runtimes[name]?.[1]}`;
  const version = (await project.run(program, ["--version"])).trim().replace("v", "");
  // Both builds at once, each in a process of its own.
  const outputs = await Promise.all(
    files.map((each) => project.run(program, ["runner.js", ...each])),
  );
  for (const [index, build] of builds.entries()) {
    const counts = /\d+ passed, \d+ failed/.exec(outputs[index] ?? "")?.[0];
    console.log(`${name}@${version}, ${build}: ${counts}`);
  }
  await assertBothBuildsShareState(program);
}

/** Both builds are loaded into one process, and share the state of the realm. */
async function assertBothBuildsShareState(program: string): Promise<void> {
  const script = `
    import { createRequire } from "node:module";
    import * as esm from "@asyncbackoff/asyncbackoff";
    const cjs = createRequire(import.meta.url)("@asyncbackoff/asyncbackoff");
    if (cjs.asyncbackoff === esm.asyncbackoff) throw new Error("one build was loaded twice");
    const inner = await new esm.Backoff().execute((attempt) =>
      [attempt === cjs.currentAttempt(), attempt === esm.currentAttempt()]);
    const nested = await new cjs.Backoff().execute((outer) =>
      new esm.Backoff().execute((attempt) => attempt === cjs.currentAttempt()));
    console.log(inner, nested);`;
  const path = `${project.folder}/both.mjs`;
  await Deno.writeTextFile(path, script);
  const printed = (await project.run(program, [path])).replace(/\s+/g, "");
  if (printed !== "[true,true]true") {
    throw new Error(`The builds must share the current attempt, got ${printed}`);
  }
}
