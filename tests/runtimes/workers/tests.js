// A worker of Cloudflare's that runs the tests: it is sent where they are.

import recordedRuns from "/tests/conformance/aiomisc.jsonl";
import { runTests } from "./run_tests.js";

// Its events of errors have no default to prevent: that it was to be is noted.
Event.prototype.preventDefault = function () {
  Object.defineProperty(this, "defaultPrevented", { value: true });
};
globalThis.Deno.readTextFile = () => Promise.resolve(recordedRuns);
globalThis.Deno.resolve = (path) => `file://${path}`;

export default {
  fetch: async (request) => Response.json(await runTests(await request.json())),
};
