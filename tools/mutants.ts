// Changes src/ in one small way after the other (StrykerJS), and checks whether a test
// fails. A change that no test notices, a mutant that survives, is a rule that no test
// holds.
//
// Arguments: files (`engine/limit`) or rooms (`engine`) of src/. Without any, all files are
// mutated except those that draw. Prints the score of each file: the share of killed
// mutants. A mutant that no test can kill is waived by a comment beside the code, which
// says why:
//
//     // Stryker disable next-line EqualityOperator: no two timers have the same sequence
//
// Such mutants do not count, and are listed with their reasons.

import { pathOf, root, run } from "./package.ts";

/** The lowest score of all files together, in percent. */
const MIN_SCORE = 97;
/** The files and rooms that decide. Here every mutant must be killed or waived. */
const STRICT = ["engine", "policy/policy", "policy/error_classes", "driver/execution"]
  .concat("time/clock", "time/sleep", "time/system_clock", "time/fake_time")
  .concat("pauses/growing", "budget");
/** This room draws and decides nothing. It is only mutated when it is named. */
const DRAWING = "timeline";
/** The tests that each mutant is tried on. All of them together take a few seconds. */
const TESTS = ["unit", "behaviour", "conformance/original_test.ts"];
/** Tests whose names match are left out: they take seconds, or wait on the real clock. */
const SLOW = "10\\^6|documented distribution|many random runs|real (clock|time)\\b|" +
  "in proportion|when there are very many|keeps to its columns|well-formed";

/**
 * The files of a folder of the repository and of the folders below it, or the file itself.
 */
async function filesIn(path: string): Promise<string[]> {
  if (path.endsWith(".ts")) return [path];
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(pathOf(path))) {
    if (isDirectory || name.endsWith(".ts")) {
      files.push(...await filesIn(`${path}/${name}`));
    }
  }
  return files.sort();
}

async function settings(files: readonly string[], folder: string) {
  const std = ["run", "-q", "--allow-net", "tests/support/std/flags.ts"];
  const flags = await run(Deno.execPath(), std, { cwd: root });
  const tests = (await Promise.all(TESTS.map((path) => filesIn(`tests/${path}`)))).flat();
  return {
    mutate: files,
    ignorePatterns: ["/bench", "/docs", "/examples", "/npm", "/.coverage"],
    disableTypeChecks: true,
    plugins: [pathOf("tools/mutants/runner.js")],
    ignorers: ["namesOnly"],
    testRunner: "deno",
    deno: {
      program: Deno.execPath(),
      flags: flags.split(/\s+/).filter((flag) => flag.startsWith("--")),
      runner: "tools/mutants/test_runner.ts",
      slow: SLOW,
      files: tests.filter((file) => file.endsWith("_test.ts")),
    },
    warnings: { unknownOptions: false },
    coverageAnalysis: "perTest",
    concurrency: 2,
    // Long enough that a slow test on a busy machine is not taken for an endless one.
    timeoutMS: 4000,
    timeoutFactor: 4,
    tempDirName: `${folder}/sandbox`,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: `${folder}/report.json` },
    thresholds: { high: 100, low: 100, break: null },
    allowConsoleColors: false,
  };
}

/** A mutant in the report of Stryker. */
interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

async function mutate(files: readonly string[]): Promise<Record<string, MutatedFile>> {
  const folder = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    const file = `${folder}/settings.json`;
    await Deno.writeTextFile(file, JSON.stringify(await settings(files, folder)));
    const args = ["-y", "--package=@stryker-mutator/core@9.6.1", "stryker", "run", file];
    const { success } = await new Deno.Command("npx", { args, cwd: root }).spawn().status;
    if (!success) throw new Error("Cannot compute the score: Stryker must succeed");
    return JSON.parse(await Deno.readTextFile(`${folder}/report.json`)).files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The change that a mutant makes, as text: `a < b -> a <= b`. */
function changeOf(
  { replacement, location: { start, end } }: Mutant,
  source: string,
): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines.push((lines.pop() ?? "").slice(0, end.column - 1));
  const original = lines.join("\n").slice(start.column - 1);
  return [original, replacement].map(truncated).join(" -> ");
}

function truncated(code: string): string {
  const line = code.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

/** The results of the mutants of one file. */
interface Result {
  readonly killed: number;
  readonly survivors: readonly string[];
  /** The mutants that are waived, with their reasons. */
  readonly waived: readonly string[];
}

function judge(path: string, { source, mutants }: MutatedFile): Result {
  const survivors: string[] = [];
  const waived: string[] = [];
  let killed = 0;
  for (const mutant of mutants) {
    const { mutatorName, status, statusReason, location: { start } } = mutant;
    const text = `${path}:${start.line}:${start.column} ${mutatorName}: ${
      changeOf(mutant, source)
    }`;
    if (status === "Killed" || status === "Timeout") killed++;
    else if (status === "Survived" || status === "NoCoverage") survivors.push(text);
    else if (status === "Ignored") waived.push(`${text} (${statusReason})`);
    else throw new Error(`Cannot judge ${text}: ${status}, ${statusReason}`);
  }
  return { killed, survivors, waived };
}

function row(name: string, { killed, survivors, waived }: Result): string {
  const score = `${scoreOf(killed, survivors.length).toFixed(1)} %`;
  const counts = `${killed} killed, ${survivors.length} survived, ${waived.length} waived`;
  return `${name.padEnd(26)} ${score.padStart(7)}  ${counts}`;
}

function scoreOf(killed: number, survived: number): number {
  return killed + survived === 0 ? 100 : 100 * killed / (killed + survived);
}

/**
 * Determines whether a file has a name, such as `engine/limit`, or is in a room, such as
 * `engine`.
 */
function isNamed(file: string, name: string): boolean {
  return file === `src/${name}.ts` || file.startsWith(`src/${name}/`);
}

const all = await filesIn("src");
const names = Deno.args;
const unknown = names.filter((name) => !all.some((file) => isNamed(file, name)));
if (unknown.length > 0) {
  throw new Error(`Cannot mutate ${unknown}: must be files or rooms of src/`);
}
const files = all.filter((file) =>
  names.length > 0 ? names.some((name) => isNamed(file, name)) : !isNamed(file, DRAWING)
);

const results = Object.entries(await mutate(files))
  .map(([path, file]) => [path, judge(path, file)] as const)
  .filter(([, { killed, survivors, waived }]) =>
    killed + survivors.length + waived.length > 0
  )
  .sort();
const total: Result = {
  killed: results.reduce((sum, [, { killed }]) => sum + killed, 0),
  survivors: results.flatMap(([, { survivors }]) => survivors),
  waived: results.flatMap(([, { waived }]) => waived),
};
const score = scoreOf(total.killed, total.survivors.length);

const lines = [
  ...total.waived.map((each) => `waived: ${each}`),
  ...total.survivors.map((each) => `survived: ${each}`),
  ...results.map(([path, result]) => row(path.replace(/^src\/|\.ts$/g, ""), result)),
  row("total", total),
];
console.log(lines.join("\n"));

const isStrictMet = results.every(([path, { survivors }]) =>
  survivors.length === 0 || !STRICT.some((name) => isNamed(path, name))
);
if (!isStrictMet || score < MIN_SCORE) Deno.exit(1);
