// Runs tests in a page, or in a worker: provides the part of Deno that they use, and runs
// them one after the other.

const { setTimeout } = globalThis; // before tests fake it
const tests = [];
globalThis.Deno = {
  test: (name, fn) => tests.push({ name, fn }),
  readTextFile: async (url) => (await fetch(url)).text(),
};

/** Uncaught errors. Tests that cause such errors on purpose prevent their default. */
const uncaught = [];
for (const type of ["error", "unhandledrejection"]) {
  globalThis.addEventListener(type, (event) => uncaught.push(event));
}

/** Throws an uncaught error of the current test: such errors surface within a turn. */
async function throwUncaught() {
  await new Promise((resolve) => setTimeout(resolve));
  const event = uncaught.splice(0).find(({ defaultPrevented }) => !defaultPrevented);
  if (event !== undefined) throw event.reason ?? event.error ?? new Error(event.message);
}

/** Runs a function. The result is an empty array, or a text that says why it failed. */
async function failureOf(name, fn) {
  console.debug(name); // read when a test never ends
  try {
    await fn();
    await throwUncaught();
    return [];
  } catch (error) {
    return [`${name}\n${error?.stack ?? error}`];
  }
}

/**
 * Loads modules of tests, and runs the tests.
 *
 * @param {string[]} paths The paths of the modules.
 * @returns {Promise<{ passed: number, failures: string[] }>} Their results.
 */
export async function runTests(paths) {
  const failures = [];
  for (const path of paths) failures.push(...await failureOf(path, () => import(path)));
  const failedToLoad = failures.length;
  for (const { name, fn } of tests) failures.push(...await failureOf(name, fn));
  return { passed: tests.length - (failures.length - failedToLoad), failures };
}
