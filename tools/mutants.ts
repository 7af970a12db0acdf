// Changes src/ in one small way after the other (StrykerJS), and looks whether a test fails:
// a change that none notices, a mutant that survives, is a rule that no test holds. Takes the
// names of files (`engine policy`), or all of them. Prints the score of each file: the share
// that is killed, of those that are not listed as equivalent in mutants/equivalents.ts.

import { equivalents } from "./mutants/equivalents.ts";
import { pathOf, run } from "./package.ts";

/** In percent, of all files together. */
const LEAST_SCORE = 97;
/** What decides: here every mutant is killed, or listed. */
const STRICT = ["engine", "policy", "execution", "clock", "pauses", "budget"]
  .concat("retry_budget", "token_budget");
/** Only where they are named: what draws, and decides nothing. */
const DRAWING = ["execution_record", "time_axis", "timeline", "timeline_svg"]
  .concat("timeline_text");
/** Each mutant is played what reaches it of these tests; all together take a second. */
const TESTS = {
  /** They take seconds, or read the sources; tests/properties/ is left out too. */
  without: [
    "conformance_test.ts",
    "engine_exploration_test.ts",
    "layers_test.ts",
    "repository_test.ts",
    "reproduce_test.ts",
  ],
  /** What the names of other tests hold that take too long, or wait in earnest. */
  slow: "10\\^6|spread as documented|many random runs|real (clock|time)\\b|" +
    "as many executions as|no line wider|well-formed",
};

const root = new URL("../", import.meta.url);

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(pathOf(folder))) names.push(name);
  return names.sort();
}

async function settings(names: readonly string[], folder: string) {
  const registry = ["run", "-q", "--allow-net", "tests/support/std/flags.ts"];
  const flags = await run(Deno.execPath(), registry, { cwd: root });
  const tests = (await namesIn("tests")).filter((name) => name.endsWith("_test.ts"));
  return {
    mutate: names.map((name) => `src/${name}.ts`),
    ignorePatterns: ["/bench", "/examples", "/npm", "/.coverage"],
    disableTypeChecks: true,
    plugins: [pathOf("tools/mutants/runner.js")],
    testRunner: "deno",
    deno: {
      program: Deno.execPath(),
      flags: flags.split(/\s+/).filter((flag) => flag.startsWith("--")),
      player: "tools/mutants/test_runner.ts",
      slow: TESTS.slow,
      files: tests.filter((name) => !TESTS.without.includes(name)),
    },
    warnings: { unknownOptions: false },
    coverageAnalysis: "perTest",
    concurrency: 2,
    // Not so short that a busy machine takes a slow test for one without end.
    timeoutMS: 4000,
    timeoutFactor: 4,
    tempDirName: `${folder}/sandbox`,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: `${folder}/report.json` },
    thresholds: { high: 100, low: 100, break: null },
    allowConsoleColors: false,
  };
}

/** What Stryker tells of a mutant. */
interface Mutant {
  readonly replacement: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

async function mutate(names: readonly string[]): Promise<Record<string, MutatedFile>> {
  const folder = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    const file = `${folder}/settings.json`;
    await Deno.writeTextFile(file, JSON.stringify(await settings(names, folder)));
    const args = ["-y", "--package=@stryker-mutator/core@9.6.1", "stryker", "run", file];
    const { success } = await new Deno.Command("npx", { args, cwd: root }).spawn().status;
    if (!success) throw new Error("Cannot tell the score as Stryker failed");
    return JSON.parse(await Deno.readTextFile(`${folder}/report.json`)).files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a mutant makes of the source: `a < b -> a <= b`. */
function changeOf(
  { replacement, location: { start, end } }: Mutant,
  source: string,
): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines.push((lines.pop() ?? "").slice(0, end.column - 1));
  const original = lines.join("\n").slice(start.column - 1);
  return [original, replacement].map(shortened).join(" -> ");
}

function shortened(code: string): string {
  const line = code.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

/** What came of the mutants of one file. */
interface Result {
  readonly killed: number;
  readonly equivalent: number;
  readonly survivors: readonly string[];
  /** What is listed, and is no survivor. */
  readonly stale: readonly string[];
}

function judge(name: string, { source, mutants }: MutatedFile): Result {
  const listed = equivalents.flatMap((each) => each.mutants[name] ?? []);
  const survivors: string[] = [];
  let killed = 0;
  for (const mutant of mutants) {
    const { status, statusReason, location: { start } } = mutant;
    if (status === "Killed" || status === "Timeout") {
      killed++;
      continue;
    }
    if (status !== "Survived" && status !== "NoCoverage") throw new Error(statusReason);
    const change = changeOf(mutant, source);
    const index = listed.indexOf(change);
    if (index >= 0) listed.splice(index, 1);
    else survivors.push(`src/${name}.ts:${start.line}:${start.column} ${change}`);
  }
  const equivalent = mutants.length - killed - survivors.length;
  return { killed, equivalent, survivors, stale: listed };
}

function row(name: string, { killed, equivalent, survivors }: Result): string {
  const score = `${scoreOf(killed, survivors.length).toFixed(1)} %`;
  const counts = `${killed} killed, ${survivors.length} survived, ${equivalent} equivalent`;
  return `${name.padEnd(14)} ${score.padStart(7)}  ${counts}`;
}

function scoreOf(killed: number, survived: number): number {
  return killed + survived === 0 ? 100 : 100 * killed / (killed + survived);
}

const all = (await namesIn("src")).map((name) => name.replace(/\.ts$/, ""));
const names = Deno.args.length > 0
  ? Deno.args
  : all.filter((name) => !DRAWING.includes(name));
const listed = equivalents.flatMap(({ mutants }) => Object.keys(mutants));
const unknown = [...names, ...listed].filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`Cannot mutate ${unknown}: src/ has no such file`);

const results = Object.entries(await mutate(names)).map(([path, file]) => {
  const name = path.replace(/^src\/|\.ts$/g, "");
  return [name, judge(name, file)] as const;
}).sort();
const total: Result = {
  killed: results.reduce((sum, [, { killed }]) => sum + killed, 0),
  equivalent: results.reduce((sum, [, { equivalent }]) => sum + equivalent, 0),
  survivors: results.flatMap(([, { survivors }]) => survivors),
  stale: results.flatMap(([name, { stale }]) => stale.map((each) => `${name}: ${each}`)),
};
const score = scoreOf(total.killed, total.survivors.length);

const lines = [
  ...total.survivors.map((each) => `survived: ${each}`),
  ...total.stale.map((each) => `listed, and no survivor: ${each}`),
  ...results.map(([name, result]) => row(name, result)),
  row("total", total),
];
console.log(lines.join("\n"));

const isStrict = results.every(([name, { survivors }]) =>
  survivors.length === 0 || !STRICT.includes(name)
);
if (!isStrict || total.stale.length > 0 || score < LEAST_SCORE) Deno.exit(1);
