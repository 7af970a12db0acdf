// Plays tests under a mutant, or tells which test reaches which mutant: a test module that
// takes in the others, so that what a test leaves undone counts as it always does.

/** What the file that is named as an argument holds. */
interface Play {
  /** The modules of tests. */
  readonly files: readonly string[];
  /** What the names of tests hold that take too long. */
  readonly slow: string;
  /** The tests to play; all of them if there is no such list. */
  readonly only?: readonly string[];
  /** Where to tell what the tests reach. */
  readonly report?: string;
  /** Which mutant is active. */
  readonly state?: Record<string, unknown>;
}

const play: Play = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? ""));
const state: Record<string, unknown> = { ...play.state };
Object.assign(globalThis, { __stryker__: state });

interface Test {
  readonly id: string;
  readonly name: string;
  readonly status: "success";
  timeSpentMs: number;
}

const tests: Test[] = [];
const only = play.only === undefined ? null : new Set(play.only);
const isSlow = new RegExp(play.slow);
const register = Deno.test;
/** What a module of tests does when it is loaded, as if it were a test of its own. */
let loading: Test;

function test(id: string): Test {
  const test: Test = { id, name: id, status: "success", timeSpentMs: 0 };
  tests.push(test);
  return test;
}

function add(name: string, fn: () => void | Promise<void>): void {
  const module = loading;
  const id = `${module.id}: ${name}`;
  // What was made at load may be used by any test of the module.
  const isPlayed = only === null || only.has(module.id) || only.has(id);
  if (!isPlayed || isSlow.test(name)) return;
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

// First the library by itself: what it does at load is reached by every test.
for (const entry of ["mod.ts", "src/test_clock.ts"]) {
  await import(`file://${Deno.cwd()}/${entry}`);
}
Object.assign(Deno, { test: add });
for (const file of play.files) {
  const isWanted = only === null || [...only].some((id) => id.startsWith(file));
  if (!isWanted) continue;
  loading = test(file);
  state["currentTestId"] = file;
  await import(`file://${Deno.cwd()}/tests/${file}`);
}
state["currentTestId"] = undefined;

const { report } = play;
if (report !== undefined) {
  register("report", async () => {
    const { mutantCoverage } = state;
    await Deno.writeTextFile(report, JSON.stringify({ tests, mutantCoverage }));
  });
}
