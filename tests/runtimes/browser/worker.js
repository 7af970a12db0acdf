// A worker of the page, which runs the tests that it is sent.

import { runTests } from "./run_tests.js";

globalThis.onmessage = async ({ data }) => postMessage(await runTests(data));
