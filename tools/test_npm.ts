// Runs the test suite on the installed npm package, by its name, in the runtimes that are
// named as arguments: node20, node22, node24, bun1.1 (the oldest supported) and bun; all of
// them if none is named. The runtimes come from npm.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeLab } from "./lab.ts";

const runtimes: Record<string, [packageName: string, program: string]> = {
  node20: ["node@20", "node_modules/node20/bin/node"],
  node22: ["node@22", "node_modules/node22/bin/node"],
  node24: ["node@24", "node_modules/node24/bin/node"],
  "bun1.1": ["bun@1.1", "node_modules/bun1.1/bin/bun.exe"],
  bun: ["bun@latest", "node_modules/bun/bin/bun.exe"],
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(runtimes);

const tests = new URL("../tests/", import.meta.url);
/** These look at the repository, which is not in the package. */
const OF_SOURCES = ["layers_test.ts", "repository_test.ts"];
const names: string[] = [];
for (const folder of ["", "properties/"]) {
  for await (const { name } of Deno.readDir(new URL(folder, tests))) {
    if (name.endsWith("_test.ts") && !OF_SOURCES.includes(name)) names.push(folder + name);
  }
}
/** All in one folder, since they import the package from where they are. */
const builtName = (name: string) => name.replace("/", "_").replace(/\.ts$/, "");

await using lab = await makeLab(
  "deno-std@1.4.0",
  "fast-check@4",
  ...wanted.map((name) => `${name}@npm:${runtimes[name]?.[0]}`),
);
const built = `${lab.folder}/tests`;
await esbuild.build({
  entryPoints: names.map((name) => ({
    in: new URL(name, tests).pathname,
    out: builtName(name),
  })),
  outdir: built,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20", // lowers decorators
  outExtension: { ".js": ".mjs" },
  nodePaths: [`${lab.folder}/node_modules`],
  alias: {
    "@std/assert": "deno-std/assert/mod.js",
    "@std/async/delay": "deno-std/async/delay.js",
    "@std/testing/time": new URL("npm/time.ts", import.meta.url).pathname,
  },
  external: ["@asyncbackoff/*", "node:*"],
  plugins: [{
    name: "internals of the package",
    setup: (build) =>
      build.onResolve({ filter: /\/src\/\w+\.ts$/ }, ({ path }) => ({
        path: `../node_modules/@asyncbackoff/asyncbackoff/src/${
          path.slice(path.lastIndexOf("/") + 1, -3)
        }.js`,
        external: true,
      })),
  }],
});
await esbuild.stop();
await Deno.mkdir(`${built}/conformance`);
await Deno.copyFile(
  new URL("conformance/aiomisc.jsonl", tests),
  `${built}/conformance/aiomisc.jsonl`,
);
await Deno.copyFile(new URL("runner.js", import.meta.url), `${lab.folder}/runner.js`);

const files = names.map((name) => `tests/${builtName(name)}.mjs`);
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
