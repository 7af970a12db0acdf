// Runs tests outside of Deno: provides `Deno.test`, loads the files that are named as
// arguments, and runs one test after the other. Prints the counts in its last line, and
// fails if a test failed or none ran.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { pathToFileURL } from "node:url";

// The assertions need these methods, which Node 20 does not have.
Set.prototype.union ??= function (other) {
  return new Set([...this, ...other]);
};
Set.prototype.symmetricDifference ??= function (other) {
  const isInOne = (value) => this.has(value) !== other.has(value);
  return new Set([...this, ...other].filter(isInOne));
};

const tests = [];
globalThis.Deno = {
  test: (name, fn) => tests.push({ name, fn }),
  readTextFile: (url) => readFile(url, "utf8"),
};
// Node 20 follows every promise once an AsyncLocalStorage is used, and is slow from then on.
const isFollowing = (file) => /context|kept|followed/.test(file);
const files = process.argv.slice(2);
const inOrder = [
  ...files.filter((each) => !isFollowing(each)),
  ...files.filter(isFollowing),
];
for (const file of inOrder) await import(pathToFileURL(file).href);

let failed = 0;
for (const { name, fn } of tests) {
  try {
    await fn();
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n`, error);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 || tests.length === 0 ? 1 : 0);
