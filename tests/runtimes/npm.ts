// Runs the tests on the installed npm package, by its name, in the runtimes that are named
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
const modules = await bundleTests(project, "node");
await Deno.copyFile(new URL("runner.js", import.meta.url), `${project.folder}/runner.js`);

const files = modules.map(({ path }) => path);
for (const name of wanted) {
  const program = `${project.folder}/${runtimes[name]?.[1]}`;
  const version = await project.run(program, ["--version"]);
  const output = await project.run(program, ["runner.js", ...files]);
  console.log(
    `${name}@${version.trim().replace("v", "")}: ${
      /\d+ passed, \d+ failed/.exec(output)?.[0]
    }`,
  );
  // CommonJS can load the package in Node from 20.19 and 22.12 on, and in Bun.
  const script = 'console.log(typeof require("@asyncbackoff/asyncbackoff").asyncbackoff)';
  const required = await project.run(program, ["-e", script]);
  if (!required.includes("function")) throw new Error(`${name} cannot require the package`);
}
