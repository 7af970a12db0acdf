// A worker of Cloudflare's that runs the tests: it is sent where they are.

import recordedRuns from "/tests/conformance/aiomisc.jsonl";
import { runTests } from "./run_tests.js";

globalThis.Deno.readTextFile = () => Promise.resolve(recordedRuns);
globalThis.Deno.resolve = (path) => `file://${path}`;

export default {
  fetch: async (request) => Response.json(await runTests(await request.json())),
};
