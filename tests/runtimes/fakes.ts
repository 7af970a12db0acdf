// Plays the recorded runs on the installed npm package under the fake timers of five
// frameworks, each in the framework's own runner. The tests cover FakeTime of @std/testing.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeProject } from "../support/project.ts";

/** The packages of each framework, and the command that runs its file. */
const frameworks: Record<string, [packages: string[], command: string[]]> = {
  "@sinonjs/fake-timers": [["@sinonjs/fake-timers@15"], ["node", "sinon.test.mjs"]],
  "node:test": [[], ["node", "--test", "node.test.mjs"]],
  Jest: [["jest@30"], ["npx", "jest", "--rootDir", ".", "jest.test.mjs"]],
  Vitest: [["vitest@5"], ["npx", "vitest", "run", "vitest.test.mjs"]],
  Bun: [["bun@1"], ["node_modules/bun/bin/bun.exe", "test", "./bun.test.mjs"]],
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(frameworks);

const fakes = new URL("fakes/", import.meta.url);
await using project = await makeProject(
  ...wanted.flatMap((name) => frameworks[name]?.[0] ?? []),
);
await esbuild.build({
  entryPoints: [new URL("play_all.ts", fakes).pathname],
  outfile: `${project.folder}/play_all.mjs`,
  bundle: true,
  format: "esm",
  external: ["@asyncbackoff/*"],
});
await esbuild.stop();
for await (const { name } of Deno.readDir(fakes)) {
  if (!name.endsWith(".mjs")) continue;
  // Named `.test.mjs` only here: in the repository, a test runner would find it.
  const copy = `${project.folder}/${name.replace(".mjs", ".test.mjs")}`;
  await Deno.copyFile(new URL(name, fakes), copy);
}
const runs = new URL("../conformance/aiomisc.jsonl", import.meta.url);
await Deno.copyFile(runs, `${project.folder}/aiomisc.jsonl`);
await Deno.writeTextFile(
  `${project.folder}/jest.config.json`,
  JSON.stringify({ testMatch: ["**/jest.test.mjs"], transform: {} }),
);

for (const name of wanted) {
  const [program = "", ...args] = frameworks[name]?.[1] ?? [];
  const path = program.includes("/") ? `${project.folder}/${program}` : program;
  const output = await project.run(path, args, {
    NODE_OPTIONS: "--experimental-vm-modules",
  });
  const played = /\d+ recorded runs/.exec(output);
  if (played === null) {
    throw new Error(`${name} must print how many runs it played, got:\n${output}`);
  }
  console.log(`${name}: ${played[0]} passed`);
}
