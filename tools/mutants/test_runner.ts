// Runs tests with a mutant, or records which test reaches which mutant. It is a test module
// that imports the others, so that Deno's checks of each test still count.

/** The task, which is read from the file that is named as the argument. */
interface Task {
  /** The modules of tests. */
  readonly files: readonly string[];
  /** A pattern of the names of tests that take too long. */
  readonly slow: string;
  /** The tests to run. Default: all. */
  readonly only?: readonly string[];
  /** The file to write the report to: the tests, and the mutants that each reaches. */
  readonly report?: string;
  /** The state of Stryker's code, which says which mutant is active. */
  readonly state?: Record<string, unknown>;
}

const task: Task = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? ""));
const state: Record<string, unknown> = { ...task.state };
Object.assign(globalThis, { __stryker__: state });

interface Test {
  readonly id: string;
  readonly name: string;
  readonly status: "success";
  timeSpentMs: number;
}

const tests: Test[] = [];
const only = task.only === undefined ? null : new Set(task.only);
const isSlow = new RegExp(task.slow);
const register = Deno.test;
/** The module of tests that is being loaded. Loading it counts as a test. */
let loading: Test;

function test(id: string): Test {
  const test: Test = { id, name: id, status: "success", timeSpentMs: 0 };
  tests.push(test);
  return test;
}

function add(name: string, fn: () => void | Promise<void>): void {
  const module = loading;
  const id = `${module.id}: ${name}`;
  // Any test of the module may use what was made when it was loaded.
  const isWanted = only === null || only.has(module.id) || only.has(id);
  if (!isWanted || isSlow.test(name)) return;
  register(id, async () => {
    const own = test(id);
    const beganAt = performance.now();
    state["currentTestId"] = id;
    try {
      await fn();
    } finally {
      state["currentTestId"] = undefined;
      own.timeSpentMs = performance.now() - beganAt;
      module.timeSpentMs += own.timeSpentMs;
    }
  });
}

// The library is loaded first, outside of any test: every test reaches what it does at
// load.
const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
for (const entry of Object.values(exports)) {
  await import(new URL(`${entry}`, `file://${Deno.cwd()}/`).href);
}
Object.assign(Deno, { test: add });
for (const file of task.files) {
  const isWanted = only === null || [...only].some((id) => id.startsWith(file));
  if (!isWanted) continue;
  loading = test(file);
  state["currentTestId"] = file;
  await import(`file://${Deno.cwd()}/${file}`);
}
state["currentTestId"] = undefined;

const { report } = task;
if (report !== undefined) {
  register("report", async () => {
    const { mutantCoverage } = state;
    await Deno.writeTextFile(report, JSON.stringify({ tests, mutantCoverage }));
  });
}
