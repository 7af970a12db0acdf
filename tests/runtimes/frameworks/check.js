// Runs checks in plain Node, one after the other, and writes their results to results.json in
// the format of Jest and Vitest. It keeps the platform's timers and promises, because the
// programs load packages that replace them.

const { AssertionError } = require("node:assert");
const { writeFileSync } = require("node:fs");
const process = require("node:process");

const { setTimeout, clearTimeout, Promise } = globalThis;
/** The longest time that a check may take, in ms. */
const MAX_MS = 10_000;

const checks = [];

/** Adds a check: a function that throws, rejects, or takes too long if the check fails. */
function check(title, fn) {
  checks.push({ title, fn });
}

function inTime(fn) {
  return new Promise((resolve, reject) => {
    const error = new AssertionError({ message: `must settle within ${MAX_MS} ms` });
    const timer = setTimeout(reject, MAX_MS, error);
    const settle = (end) => (value) => (clearTimeout(timer), end(value));
    new Promise((resolve) => resolve(fn())).then(settle(resolve), settle(reject));
  });
}

async function resultOf({ title, fn }) {
  try {
    await inTime(fn);
    return { title, status: "passed", failureMessages: [] };
  } catch (error) {
    return { title, status: "failed", failureMessages: [String(error?.stack ?? error)] };
  }
}

/** Runs all checks, and then the process exits. */
async function runChecks() {
  const assertionResults = [];
  for (const each of checks) assertionResults.push(await resultOf(each));
  const testResults = [{ assertionResults: [...assertionResults] }];
  writeFileSync("results.json", JSON.stringify({ testResults }));
  process.exit();
}

module.exports = { check, runChecks };
