// Sentry's browser SDK with the window of jsdom, initialised before or after the package is
// loaded, as the argument says. It wraps the timers, to report errors that callbacks throw.

const { deepStrictEqual, notStrictEqual, rejects } = require("node:assert");
const process = require("node:process");
const { JSDOM } = require("jsdom");
const { check, runChecks } = require("./check.js");

const { window } = new JSDOM("", { url: "http://127.0.0.1/", pretendToBeVisual: true });
for (const name of Object.getOwnPropertyNames(window)) globalThis[name] ??= window[name];
for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
  globalThis[name] = window[name].bind(window);
}
globalThis.window = globalThis;

const { setTimeout: nativeSetTimeout } = globalThis;
const Sentry = require("@sentry/browser");
const events = [];
if (process.argv[2] === "after") require("@asyncbackoff/asyncbackoff");
Sentry.init({
  dsn: "http://key@127.0.0.1/1",
  beforeSend: (event) => (events.push(event), null),
});
const { Backoff } = require("@asyncbackoff/asyncbackoff");

check("the timers are wrapped", () => {
  notStrictEqual(setTimeout, nativeSetTimeout);
});

require("./replaced.js").addChecks(check);

check("errors that are retried are not reported", async () => {
  const backoff = new Backoff({ exceptions: [RangeError], maxTries: 3 });
  await rejects(backoff.execute(() => Promise.reject(new RangeError("busy"))), RangeError);
  await Sentry.flush();
  deepStrictEqual(events, []);
});

runChecks();
