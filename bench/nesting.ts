// Runs nesting.js on the installed package, and prints its tables, for docs/nesting.md. The
// arguments name runtimes: node, node24, deno, bun. All of them run if none is named.

import { makeProject } from "../tests/support/project.ts";

interface Summary {
  median: number;
  low: number;
  high: number;
  ns: number;
}
type Results = Record<string, Record<string, Summary>>;

const wanted = Deno.args.length > 0 ? Deno.args : ["node", "node24", "deno", "bun"];
const npm = wanted.includes("node24") ? ["node24@npm:node@24"] : [];
await using project = await makeProject("bun@1.4", ...npm);
for (const file of ["measure.js", "nesting.js"]) {
  await Deno.copyFile(new URL(file, import.meta.url), `${project.folder}/${file}`);
}
const commands: Record<string, [string, ...string[]]> = {
  node: ["node"],
  node24: [`${project.folder}/node_modules/node24/bin/node`],
  deno: [Deno.execPath(), "run", "-A", "-q"],
  bun: [`${project.folder}/node_modules/.bin/bun`],
};

const all: Record<string, Results> = {};
for (const runtime of wanted) {
  const [command, ...args] = commands[runtime] as [string, ...string[]];
  const printed = await project.run(command, [...args, "nesting.js"]);
  all[runtime] = JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

const digits = (value: number) =>
  Number(value.toPrecision(value < 1000 ? 2 : 3)).toString();
const spread = ({ median, low, high }: Summary, unit: number) =>
  [median, low, high].map((each) => digits(each / unit));

function print(title: string, rows: [who: string, cell: (results: Results) => string][]) {
  const cells = rows.map(([who, cell]) => [who, ...wanted.map((name) => cell(all[name]!))]);
  const lines = [["", ...wanted], wanted.concat("").map(() => "---"), ...cells];
  console.log(`\n${title}\n\n${lines.map((line) => `| ${line.join(" | ")} |`).join("\n")}`);
}

const N = Object.keys(Object.values(all)[0]!["N"]!).filter((who) => who !== "bare");
print(
  "A call without nesting is 1. The median, and the quartiles in brackets.",
  N.map((who) => [who, ({ N }) => {
    const [median, low, high] = spread(N![who]!, N!["a call"]!.median);
    return `${median} (${low}–${high})`;
  }]),
);
const followed = (name: string, who: string) => (results: Results) => {
  const [before, after] = [results[name]![who]!, results[`${name} followed`]![who]!];
  const cost = after.ns / before.ns;
  const half = (after.high - after.low) / after.median / 2;
  return `${digits(cost)} ± ${digits(cost * half)}`;
};
print("With followed attempts, beside the same without.", [
  ["C, a call", followed("C", "call")],
  ["C, the bare await", followed("C", "bare")],
  ["I100, a call", followed("I100", "call")],
  ["I100, the bare function", followed("I100", "bare")],
  ["N, a nested call", followed("N", "a nested call")],
]);
