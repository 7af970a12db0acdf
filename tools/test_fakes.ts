// Plays the recorded runs on the installed npm package under the fake timers that users have,
// each in its own runner. FakeTime of @std/testing is a part of the tests.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeLab } from "./lab.ts";

const rows: Record<string, [packages: string[], command: string[]]> = {
  "@sinonjs/fake-timers": [["@sinonjs/fake-timers"], ["node", "sinon.test.mjs"]],
  "node:test": [[], ["node", "--test", "node.test.mjs"]],
  Jest: [["jest"], ["npx", "jest", "--rootDir", ".", "jest.test.mjs"]],
  Vitest: [["vitest"], ["npx", "vitest", "run", "vitest.test.mjs"]],
  Bun: [["bun"], ["node_modules/bun/bin/bun.exe", "test", "./bun.test.mjs"]],
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
  if (name.endsWith(".mjs")) {
    await Deno.copyFile(new URL(name, fakes), `${lab.folder}/${name}`);
  }
}
const runs = new URL("../tests/conformance/aiomisc.jsonl", import.meta.url);
await Deno.copyFile(runs, `${lab.folder}/aiomisc.jsonl`);
await Deno.writeTextFile(
  `${lab.folder}/jest.config.json`,
  JSON.stringify({ testMatch: ["**/jest.test.mjs"], transform: {} }),
);

for (const name of wanted) {
  const [program = "", ...args] = rows[name]?.[1] ?? [];
  const path = program.includes("/") ? `${lab.folder}/${program}` : program;
  await lab.run(path, args, { NODE_OPTIONS: "--experimental-vm-modules" });
  console.log(`${name}: ok`);
}
