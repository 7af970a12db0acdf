// Bluebird as the global Promise, set before or after the package is loaded, as the argument
// says.

const { deepStrictEqual, strictEqual } = require("node:assert");
const process = require("node:process");
const Bluebird = require("bluebird");
const { check, runChecks } = require("./check.js");

const isAfter = process.argv[2] === "after";
if (isAfter) require("@asyncbackoff/asyncbackoff");
globalThis.Promise = Bluebird;
const { Backoff } = require("@asyncbackoff/asyncbackoff");

check("the promises are replaced", () => {
  strictEqual(Promise, Bluebird);
});

const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(error));
require("./replaced.js").addChecks(check);

check("promises of Bluebird are awaited", async () => {
  const backoff = new Backoff({ attemptTimeout: 20, exceptions: [RangeError] });
  const value = await backoff.execute(({ number }) =>
    number === 1
      ? Bluebird.delay(1000)
      : number === 2
      ? Bluebird.reject(new RangeError("busy"))
      : Bluebird.delay(1, "loaded")
  );
  strictEqual(value, "loaded");
});

check("no rejection is reported as unhandled", () => {
  deepStrictEqual(unhandled, []);
});

runChecks();
