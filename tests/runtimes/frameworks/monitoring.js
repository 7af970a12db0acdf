// Tools that watch timers or follow async calls, started before or after the package is
// loaded, as the second argument says. Some replace setTimeout, all leave time as it is.

const process = require("node:process");
const { check, runChecks } = require("./check.js");

const [tool, when] = process.argv.slice(2);
const { setTimeout: nativeSetTimeout } = globalThis;

const start = {
  longjohn: () => require("longjohn"),
  "continuation-local-storage": () =>
    require("continuation-local-storage").createNamespace("checks"),
  OpenTelemetry() {
    const { context } = require("@opentelemetry/api");
    const { AsyncHooksContextManager } = require("@opentelemetry/context-async-hooks");
    context.setGlobalContextManager(new AsyncHooksContextManager().enable());
  },
  "async-hook-domain"() {
    const { Domain } = require("async-hook-domain");
    new Domain((error) => {
      throw error;
    });
  },
  proxy() {
    globalThis.setTimeout = new Proxy(setTimeout, {});
  },
};
/** The tools that replace setTimeout. */
const replacing = ["longjohn", "continuation-local-storage", "proxy"];

if (when === "after") require("@asyncbackoff/asyncbackoff");
start[tool]();

check("setTimeout is replaced, or is the platform's own", () => {
  const isReplaced = setTimeout !== nativeSetTimeout;
  if (isReplaced !== replacing.includes(tool)) throw new Error(String(isReplaced));
});

require("./replaced.js").addChecks(check);
runChecks();
