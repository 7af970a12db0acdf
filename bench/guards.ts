// Runs the benchmarks of guards on the installed package, in Node and Deno, and prints them as a
// table. The argument is the number of rounds.

import { makeProject } from "../tests/support/project.ts";

const LIBRARIES = ["cockatiel@4", "opossum@9"];

type Results = Record<
  string,
  Record<string, { median: number; low: number; high: number }>
>;

await using project = await makeProject(...LIBRARIES);
for (const file of ["guards", "measure"]) {
  const source = new URL(`${file}.js`, import.meta.url);
  await Deno.copyFile(source, `${project.folder}/${file}.js`);
}
const commands = { node: ["node"], deno: [Deno.execPath(), "run", "-A", "-q"] };
for (const [runtime, [command = "", ...flags]] of Object.entries(commands)) {
  const printed = await project.run(command, [...flags, "guards.js", ...Deno.args]);
  const results: Results = JSON.parse(printed.trim().split("\n").at(-1) ?? "");
  for (const [name, ratios] of Object.entries(results)) {
    console.log(`\n${runtime}, a function that returns ${name}`);
    for (const [who, { median, low, high }] of Object.entries(ratios)) {
      const spread = `(${low.toFixed(2)}–${high.toFixed(2)})`;
      console.log(`  ${who.padEnd(36)}${median.toFixed(2).padStart(7)}  ${spread}`);
    }
  }
}
