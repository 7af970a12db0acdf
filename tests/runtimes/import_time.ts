// Measures how long the first load of the installed npm package takes in Node 20, beside
// p-retry and p-timeout together. Each load is in a process of its own, and the packages take
// turns. Fails if the import takes more than 1.5 times as long as that of p-retry and
// p-timeout, or if an entry point loads more or fewer than two files: its own and the core.

import { makeProject } from "../support/project.ts";

/** The number of processes for each case. */
const RUNS = 15;
const MAX_RATIO = 1.5;
/** The number of files that each entry point loads. */
const FILES = 2;

const PACKAGE = "@asyncbackoff/asyncbackoff";
const PEERS = ["p-retry", "p-timeout"];

/** Each way to load a package: a function, and the extension of files that may use it. */
const WAYS = {
  import: { load: "(name) => import(name)", extension: "mjs" },
  require: { load: "(name) => require(name)", extension: "cjs" },
};

/** Packages to load, and the way to load them. */
interface Case {
  readonly way: keyof typeof WAYS;
  readonly packages: readonly string[];
}

const own: Case = { way: "import", packages: [PACKAGE] };
const ownRequired: Case = { way: "require", packages: [PACKAGE] };
const peers: Case = { way: "import", packages: PEERS };

/** Prints how many milliseconds it takes to load the packages that are named as arguments. */
const measuring = (load: string) => `
const names = process.argv.slice(2);
const beganAt = performance.now();
Promise.all(names.map(${load})).then(() => console.log(performance.now() - beganAt));
`;

const asModule = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

/** Prints the address of each file that Node's loader of ES modules loads. */
const LOADER = asModule(`
import { writeSync } from "node:fs";
export const load = (url, context, next) => {
  if (url.startsWith("file:")) writeSync(1, url + "\\n");
  return next(url, context);
};`);

/** Prints the files that a package loads, line by line. */
const LISTING = {
  import: `import { register } from "node:module";
register(${JSON.stringify(LOADER)});
await import(process.argv[2]);
`,
  require: `require(process.argv[2]);
for (const path of Object.keys(require.cache)) console.log(path);
`,
};

let passed = 0;
await using project = await makeProject("p-retry@9", "p-timeout@8", "node20@npm:node@20");
const node = `${project.folder}/node_modules/node20/bin/node`;
for (const way of ["import", "require"] as const) {
  const { load, extension } = WAYS[way];
  await Deno.writeTextFile(`${project.folder}/measure.${extension}`, measuring(load));
  await Deno.writeTextFile(`${project.folder}/list.${extension}`, LISTING[way]);
  await assertFiles(way);
}
await compare();
console.log(`${passed} passed, 0 failed`);

/** Each entry point loads its own file and the core. */
async function assertFiles(way: keyof typeof WAYS): Promise<void> {
  const folder = `/node_modules/${PACKAGE}/`;
  const manifest = await Deno.readTextFile(`${project.folder}${folder}package.json`);
  const entries = Object.keys(JSON.parse(manifest).exports)
    .filter((name) => name !== "./package.json");
  for (const entry of entries) {
    const name = entry.replace(/^\./, PACKAGE);
    const printed = await project.run(node, [`list.${WAYS[way].extension}`, name]);
    const files = printed.split("\n").filter((line) => line.includes(folder))
      .map((line) => line.slice(line.indexOf(folder) + folder.length));
    console.log(`${way} ${name}: ${files.join(", ")}`);
    if (files.length !== FILES) {
      throw new Error(`${way} ${name} must load ${FILES} files, got ${files.length}`);
    }
    passed += 1;
  }
}

async function compare(): Promise<void> {
  const cases = [own, peers, ownRequired];
  const times = new Map(cases.map((each) => [each, [] as number[]]));
  for (const each of cases) await timeOf(each); // the files get into the system's cache
  for (let run = 0; run < RUNS; run++) {
    for (const each of cases) times.get(each)?.push(await timeOf(each));
  }
  const timesOf = (each: Case) => times.get(each) ?? [];
  for (const each of cases) {
    const quartiles = [0.25, 0.5, 0.75].map((part) => quantile(timesOf(each), part));
    const [low, median, high] = quartiles.map((ms) => ms.toFixed(2));
    const name = each.packages.join(" and ");
    console.log(`${each.way} ${name}: ${median} ms (${low} to ${high})`);
  }
  const ratioOf = (each: Case) =>
    quantile(timesOf(each), 0.5) / quantile(timesOf(peers), 0.5);
  const names = PEERS.join(" and ");
  console.log(`require: ${ratioOf(ownRequired).toFixed(2)} times the import of ${names}`);
  console.log(`import: ${ratioOf(own).toFixed(2)} times the import of ${names}`);
  if (ratioOf(own) > MAX_RATIO) {
    throw new Error(
      `The import must take at most ${MAX_RATIO} times as long as that of ${names}`,
    );
  }
  passed += 1;
}

/** Measures the time that a process takes to load packages, in ms. */
async function timeOf({ way, packages }: Case): Promise<number> {
  const file = `measure.${WAYS[way].extension}`;
  return Number(await project.run(node, [file, ...packages]));
}

/** The value below which a part of the values is. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.round((sorted.length - 1) * part)] ?? NaN;
}
