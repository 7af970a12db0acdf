// A worker of Cloudflare's that runs the tests. It receives their paths.

import recordedRuns from "/tests/aiomisc.jsonl";
import { runTests } from "./run_tests.js";

// Events of uncaught errors have no default there. This records that a test prevented it.
Event.prototype.preventDefault = function () {
  Object.defineProperty(this, "defaultPrevented", { value: true });
};
globalThis.Deno.readTextFile = () => Promise.resolve(recordedRuns);

export default {
  fetch: async (request) => Response.json(await runTests(await request.json())),
};
