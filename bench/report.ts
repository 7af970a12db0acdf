// Runs the benchmarks on the installed package and prints the results. The argument is one
// of:
//
// - `quick`: A to D, I1 and I100 in Node and Deno, without other libraries
// - `check`: the same in Node, Deno and Bun, compared with the goals
// - `streams`: an item of a stream, in Node, Deno and Bun
// - `deno` (default): A to D, I1 and I100 in Deno
// - `all`: all cases in all runtimes; writes bench/README.md and the picture

import { makeProject } from "../tests/support/project.ts";
import { run } from "../tests/support/run.ts";
import { gated, goals, maxOf, reachedIn } from "./goals.js";
import { drawLimits } from "./picture.ts";

interface Summary {
  median: number;
  low: number;
  high: number;
  ns: number;
}
type Results = Record<string, Record<string, Summary>>;

const mode = Deno.args[0] ?? "deno";
const LIBRARIES = ["p-retry@9", "p-timeout@8", "cockatiel@4", "async-retry@1", "effect@4"]
  .concat(
    "ts-retry-promise",
    "exponential-backoff",
    "@lifeomic/attempt@3",
    "deno-std@1.4.0",
  );
const RUNTIMES = {
  deno: ["deno"],
  quick: ["node", "deno"],
  check: ["node", "deno", "bun"],
  streams: ["node", "deno", "bun"],
};
const runtimes = RUNTIMES[mode as keyof typeof RUNTIMES] ??
  ["node", "node24", "deno", "bun"];
const npm = runtimes.includes("node24") ? ["node24@npm:node@24"] : [];
await using project = await makeProject(...LIBRARIES, "bun@1.4", "esbuild@0.28.2", ...npm);
const here = new URL(".", import.meta.url);
for (const file of ["contenders", "measure", "cases", "flight", "test_clock", "stream"]) {
  await Deno.copyFile(new URL(`${file}.js`, here), `${project.folder}/${file}.js`);
}

/** Runs a script of the project in a runtime, and reads the JSON that it prints. */
async function inRuntime<T>(runtime: string, ...args: string[]): Promise<T> {
  const commands: Record<string, [string, string[]]> = {
    node: ["node", ["--expose-gc", "--max-old-space-size=12000"]],
    node24: ["node_modules/node24/bin/node", ["--expose-gc", "--max-old-space-size=12000"]],
    bun: ["node_modules/.bin/bun", []],
    deno: [Deno.execPath(), ["run", "-A", "-q", "--v8-flags=--expose-gc"]],
  };
  const [command, flags] = commands[runtime] ?? [runtime, []];
  const path = command.startsWith("node_modules")
    ? `${project.folder}/${command}`
    : command;
  const printed = await project.run(path, [...flags, ...args]);
  return JSON.parse(
    printed.split("\n").filter((line) => line.startsWith("{")).at(-1) ?? "",
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => index === 0 ? "---" : "---:");
  return [head, rule, ...rows].map(line).join("\n");
}

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

const spread = (one?: Pick<Summary, "median" | "low" | "high">) =>
  one === undefined ? "" : `${digits(one.median)} (${digits(one.low)}–${digits(one.high)})`;

function caseTable(name: string, all: Record<string, Results>): string {
  const contenders = new Set(
    Object.values(all).flatMap((results) => Object.keys(results[name] ?? {})),
  );
  const rows = [...contenders].map((who) => [
    who,
    ...Object.values(all).map((results) => spread(results[name]?.[who])),
  ]);
  return `### Case ${name}\n\n${table(["", ...Object.keys(all)], rows)}`;
}

function goalTable(all: Record<string, Results>, wanted: typeof goals): string {
  const rows = wanted.map((goal) => [
    goal.name,
    ...Object.entries(all).map(([runtime, results]) => {
      const [is, limit] = [goal.ratio(results), maxOf(goal, runtime)];
      return `${digits(is)} ${is <= limit ? "≤" : "**>**"} ${digits(limit)}`;
    }),
  ]);
  return table(["", ...Object.keys(all)], rows);
}

interface Flight {
  ns: number;
  heap: number;
  resident: number;
  timers: number;
}

async function flights(runtime: string): Promise<string[][]> {
  const who = ["bare", "asyncbackoff", "hand-written setTimeout, clearTimeout"]
    .concat("@lifeomic/attempt, p-timeout", "p-retry, p-timeout");
  const rows: string[][] = [];
  for (const name of who) {
    const sizes = who.indexOf(name) < 3 ? [1e4, 1e5, 1e6] : [1e4, 1e5];
    for (const size of sizes) {
      const took = await inRuntime<Flight>(runtime, "flight.js", name, "E", String(size))
        .catch(() => null); // some time out before all have begun
      const { ns, heap, resident, timers } = took ?? {};
      const numbers = [ns, heap, resident].map((each) =>
        each === undefined ? "" : digits(each / 1000)
      );
      rows.push([
        `${runtime}: ${name}`,
        size.toExponential(0),
        ...numbers,
        `${timers ?? ""}`,
      ]);
    }
  }
  return rows;
}

async function failures(runtime: string): Promise<string[]> {
  const cells = [];
  const who = ["asyncbackoff", "hand-written loop", "@std/async", "cockatiel"]
    .concat("@lifeomic/attempt, p-timeout", "p-retry, p-timeout");
  for (const name of who) {
    const took = await inRuntime<Flight>(runtime, "flight.js", name, "F", "100000")
      .catch(() => null); // not every contender works in every runtime
    cells.push(took === null ? "" : digits(took.ns / 1000));
  }
  return [runtime, ...cells];
}

async function heaps(runtime: string): Promise<string[]> {
  const { heap } = await inRuntime<{ heap: number[] }>(
    runtime,
    "flight.js",
    "asyncbackoff",
    "H",
    "999999",
  );
  return [runtime, ...heap.map((bytes) => digits(bytes / 1e6))];
}

const SLEEPERS_HEAD = ["timers / bare heap", "10^3 sleeps, µs each", "10^4", "10^5"];

async function testClock(runtime: string): Promise<string[]> {
  interface Measured {
    timers: Summary;
    sleepers: Record<string, number>;
  }
  const { timers, sleepers } = await inRuntime<Measured>(runtime, "test_clock.js");
  return [runtime, spread(timers), ...Object.values(sleepers).map(digits)];
}

/** Items beside a bare `for await`, and the heap in MB after each third of a million items. */
async function streams(runtimes: readonly string[]): Promise<string> {
  const items: Record<string, Results> = {};
  const heaps: string[][] = [];
  for (const runtime of runtimes) {
    const measured = await inRuntime<{ items: Results["A"]; heap: number[] }>(
      runtime,
      "stream.js",
    );
    items[runtime] = { items: measured.items ?? {} };
    heaps.push([runtime, ...measured.heap.map((bytes) => digits(bytes / 1e6))]);
  }
  const [, ratios] = caseTable("items", items).split("\n\n");
  return `### Streams\n\n${ratios}\n\n${table(["", "1", "2", "3"], heaps)}`;
}

/** Case G: the size of `import { asyncbackoff }`. */
async function size(): Promise<string> {
  await Deno.writeTextFile(
    `${project.folder}/entry.js`,
    'export { asyncbackoff } from "@asyncbackoff/asyncbackoff";\n',
  );
  const flags = ["--bundle", "--minify", "--format=esm", "--target=es2022"];
  await project.run("node_modules/.bin/esbuild", [
    "entry.js",
    ...flags,
    "--outfile=bundle.js",
  ]);
  const bytes = await Deno.readFile(`${project.folder}/bundle.js`);
  const zipped = new Response(
    new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")),
  );
  const { byteLength } = await zipped.arrayBuffer();
  return `${bytes.length} bytes minified, ${byteLength} gzipped`;
}

const all: Record<string, Results> = {};
for (const runtime of mode === "streams" ? [] : runtimes) {
  console.error(`cases in ${runtime}`);
  const few = mode === "quick" || mode === "check" ? ["quick"] : [];
  all[runtime] = await inRuntime<Results>(runtime, "cases.js", ...few);
}
const cases = ["A", "B", "C", "D", "I1", "I100"].map((name) => caseTable(name, all));

if (mode === "check") {
  console.log(goalTable(all, gated));
  console.log(
    `\na step back from the ratios that were reached: ${over(reachedIn) || "none"}`,
  );
  const broken = over(maxOf);
  if (broken !== "") throw new Error(`Goals are missed by more than a third: ${broken}`);
} else if (mode === "streams") {
  console.log(await streams(runtimes));
} else if (mode !== "all") {
  console.log(cases.join("\n\n"));
} else {
  await reportAll();
}

/** Lists the goals that are missed by more than a third. A busy machine causes less. */
function over(limitOf: typeof maxOf | typeof reachedIn): string {
  return Object.entries(all).flatMap(([runtime, results]) =>
    gated.filter((goal) => goal.ratio(results) > limitOf(goal, runtime) * 4 / 3)
      .map(({ name }) => `${runtime}: ${name}`)
  ).join("; ");
}

async function reportAll(): Promise<void> {
  const inFlight: string[][] = [];
  const failed: string[][] = [];
  const flat: string[][] = [];
  const clocks: string[][] = [];
  for (const runtime of runtimes) {
    console.error(`E, F and H in ${runtime}`);
    if (runtime !== "node24") inFlight.push(...await flights(runtime));
    failed.push(await failures(runtime));
    flat.push(await heaps(runtime));
    clocks.push(await testClock(runtime));
  }
  const versions = [
    `Node ${await run("node", ["--version"])}`,
    `Node ${await project.run(`${project.folder}/node_modules/node24/bin/node`, [
      "--version",
    ])}`,
    `Bun ${await project.run(`${project.folder}/node_modules/.bin/bun`, ["--version"])}`,
    `Deno ${Deno.version.deno}`,
  ].map((text) => text.trim()).join(", ");
  const libraries = await Promise.all(LIBRARIES.map(async (library) => {
    const name = library.replace(/(?<!^)@.*/, "");
    const path = `${project.folder}/node_modules/${name}/package.json`;
    return `${name} ${JSON.parse(await Deno.readTextFile(path)).version}`;
  }));
  const columns = [
    "",
    "calls",
    "µs per call",
    "heap, KB per call",
    "resident, KB",
    "host timers",
  ];
  const text = [
    `${new Date().toISOString().slice(0, 10)}, \`deno task bench:all\`, ${versions}.\n${
      libraries.join(", ")
    }.`,
    `### Goals\n\nThe ratio that was measured, and the goal.\n\n${goalTable(all, goals)}`,
    ...cases,
    `### Case E\n\n${table(columns, inFlight)}`,
    `### Case F\n\nµs per call.\n\n${
      table(
        ["", "asyncbackoff", "loop", "@std", "cockatiel", "attempt", "p-retry"],
        failed,
      )
    }`,
    `### Case G\n\n\`import { asyncbackoff }\`: ${await size()}.`,
    `### Case H\n\nHeap in MB after each third of a million calls on one signal.\n\n${
      table(["", "1", "2", "3"], flat)
    }`,
    await streams(runtimes),
    `### The test clock\n\n${table(["", ...SLEEPERS_HEAD], clocks)}`,
  ].join("\n\n");
  const path = new URL("README.md", here);
  const page = await Deno.readTextFile(path);
  const [head] = page.split("<!-- results -->");
  await Deno.writeTextFile(path, `${head}<!-- results -->\n\n${text}\n`);
  await Deno.writeTextFile(new URL("limits.svg", here), drawLimits(text));
  await run(Deno.execPath(), ["fmt", "-q", path.pathname]);
}
