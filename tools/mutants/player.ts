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

const tests: { id: string; name: string; timeSpentMs: number }[] = [];
const only = play.only === undefined ? null : new Set(play.only);
const isSlow = new RegExp(play.slow);
const register = Deno.test;
let file = "";

function add(name: string, fn: () => void | Promise<void>): void {
  const id = `${file}: ${name}`;
  if (only !== null ? !only.has(id) : isSlow.test(name)) return;
  register(id, async () => {
    const beganAt = performance.now();
    state["currentTestId"] = id;
    try {
      await fn();
    } finally {
      state["currentTestId"] = undefined;
      tests.push({ id, name: id, timeSpentMs: performance.now() - beganAt });
    }
  });
}
Object.assign(Deno, { test: add });

const isWanted = (file: string) =>
  only === null || [...only].some((id) => id.startsWith(`${file}: `));
for (file of play.files.filter(isWanted)) {
  await import(`file://${Deno.cwd()}/tests/${file}`);
}

const { report } = play;
if (report !== undefined) {
  register("report", async () => {
    const results = tests.map((test) => ({ ...test, status: "success" }));
    const { mutantCoverage } = state;
    await Deno.writeTextFile(report, JSON.stringify({ tests: results, mutantCoverage }));
  });
}
