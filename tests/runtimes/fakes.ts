// Plays the recorded runs on the installed npm package under the fake timers that users have,
// each in its own runner. FakeTime of @std/testing is a part of the tests.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeLab } from "../support/project.ts";

const rows: Record<string, [packages: string[], command: string[]]> = {
  "@sinonjs/fake-timers": [["@sinonjs/fake-timers@15"], ["node", "sinon.test.mjs"]],
  "node:test": [[], ["node", "--test", "node.test.mjs"]],
  Jest: [["jest@30"], ["npx", "jest", "--rootDir", ".", "jest.test.mjs"]],
  Vitest: [["vitest@5"], ["npx", "vitest", "run", "vitest.test.mjs"]],
  Bun: [["bun@1"], ["node_modules/bun/bin/bun.exe", "test", "./bun.test.mjs"]],
};
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(rows);

const fakes = new URL("fakes/", import.meta.url);
await using lab = await makeLab(...wanted.flatMap((name) => rows[name]?.[0] ?? []));
await esbuild.build({
  entryPoints: [new URL("play_all.ts", fakes).pathname],
  outfile: `${lab.folder}/play_all.mjs`,
  bundle: true,
  format: "esm",
  external: ["@asyncbackoff/*"],
});
await esbuild.stop();
for await (const { name } of Deno.readDir(fakes)) {
  if (!name.endsWith(".mjs")) continue;
  // Not under this name in the project, where another runner would find it.
  const copy = `${lab.folder}/${name.replace(".mjs", ".test.mjs")}`;
  await Deno.copyFile(new URL(name, fakes), copy);
}
const runs = new URL("../conformance/aiomisc.jsonl", import.meta.url);
await Deno.copyFile(runs, `${lab.folder}/aiomisc.jsonl`);
await Deno.writeTextFile(
  `${lab.folder}/jest.config.json`,
  JSON.stringify({ testMatch: ["**/jest.test.mjs"], transform: {} }),
);

for (const name of wanted) {
  const [program = "", ...args] = rows[name]?.[1] ?? [];
  const path = program.includes("/") ? `${lab.folder}/${program}` : program;
  const output = await lab.run(path, args, { NODE_OPTIONS: "--experimental-vm-modules" });
  const played = /\d+ recorded runs/.exec(output);
  if (played === null) throw new Error(`${name} played no recorded run:\n${output}`);
  console.log(`${name}: ${played[0]} passed`);
}
