// Runs tests in a page, or in a worker of one: gives them what they ask of Deno, and runs
// them one after the other.

const { setTimeout } = globalThis; // as it is before tests fake it
const tests = [];
globalThis.Deno = {
  test: (name, fn) => tests.push({ name, fn }),
  readTextFile: async (url) => (await fetch(url)).text(),
};

/** What nobody caught: some tests make such errors, and prevent their default. */
const uncaught = [];
for (const type of ["error", "unhandledrejection"]) {
  globalThis.addEventListener(type, (event) => uncaught.push(event));
}

/** Errors of whoever runs now surface within a turn. */
async function throwUncaught() {
  await new Promise((resolve) => setTimeout(resolve));
  const event = uncaught.splice(0).find(({ defaultPrevented }) => !defaultPrevented);
  if (event !== undefined) throw event.reason ?? event.error ?? new Error(event.message);
}

/** Tells what came of a function: nothing, or why it failed. */
async function failureOf(name, fn) {
  console.debug(name); // for whoever waits in vain
  try {
    await fn();
    await throwUncaught();
    return [];
  } catch (error) {
    return [`${name}\n${error?.stack ?? error}`];
  }
}

/**
 * Loads modules of tests, and runs all.
 *
 * @param {string[]} paths Where the modules are.
 * @returns {Promise<{ passed: number, failures: string[] }>} What came of them.
 */
export async function runTests(paths) {
  const failures = [];
  for (const path of paths) failures.push(...await failureOf(path, () => import(path)));
  const failedToLoad = failures.length;
  for (const { name, fn } of tests) failures.push(...await failureOf(name, fn));
  return { passed: tests.length - (failures.length - failedToLoad), failures };
}
