// Runs the test suite on the installed npm package, by its name, in the runtimes that are
// named as arguments: node20, node22, node24, bun1.1 (the oldest supported) and bun; all of
// them if none is named. The runtimes come from npm.

import { bundleTests, needed } from "../support/bundle.ts";
import { makeLab } from "../support/project.ts";

const runtimes: Record<string, [packageName: string, program: string]> = {
  node20: ["node@20", "node_modules/node20/bin/node"],
  node22: ["node@22", "node_modules/node22/bin/node"],
  node24: ["node@24", "node_modules/node24/bin/node"],
  "bun1.1": ["bun@1.1", "node_modules/bun1.1/bin/bun.exe"],
  bun: ["bun@latest", "node_modules/bun/bin/bun.exe"],
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(runtimes);

await using lab = await makeLab(
  ...needed,
  ...wanted.map((name) => `${name}@npm:${runtimes[name]?.[0]}`),
);
const modules = await bundleTests(lab, "node");
await Deno.copyFile(new URL("runner.js", import.meta.url), `${lab.folder}/runner.js`);

const files = modules.map(({ path }) => path);
for (const name of wanted) {
  const program = `${lab.folder}/${runtimes[name]?.[1]}`;
  const version = await lab.run(program, ["--version"]);
  const output = await lab.run(program, ["runner.js", ...files]);
  console.log(
    `${name}@${version.trim().replace("v", "")}: ${
      /\d+ passed, \d+ failed/.exec(output)?.[0]
    }`,
  );
  // From CommonJS, where the runtime can: Node from 20.19 and 22.12 on, and Bun.
  const script = 'console.log(typeof require("@asyncbackoff/asyncbackoff").asyncbackoff)';
  const required = await lab.run(program, ["-e", script]);
  if (!required.includes("function")) throw new Error(`${name} cannot require the package`);
}
