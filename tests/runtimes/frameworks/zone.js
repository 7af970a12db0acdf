// zone.js, loaded before or after the package, as the argument says. It replaces the timers
// and the promises.

const { notStrictEqual, strictEqual } = require("node:assert");
const process = require("node:process");
const { check, runChecks } = require("./check.js");

const { Promise: nativePromise, setTimeout: nativeSetTimeout } = globalThis;
const isAfter = process.argv[2] === "after";
if (isAfter) require("@asyncbackoff/asyncbackoff");
require("zone.js");
const { Backoff } = require("@asyncbackoff/asyncbackoff");

check("the timers and the promises are replaced", () => {
  notStrictEqual(Promise, nativePromise);
  notStrictEqual(setTimeout, nativeSetTimeout);
});

require("./replaced.js").addChecks(check);

check("the function runs in the zone of its caller", async () => {
  const zone = Zone.current.fork({ name: "request" });
  const name = await zone.run(() =>
    new Backoff().execute(() => Promise.resolve(Zone.current.name))
  );
  strictEqual(name, "request");
});

runChecks();
