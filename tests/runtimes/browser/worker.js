// A worker of the page. It runs the tests whose paths it receives.

import { runTests } from "./run_tests.js";

globalThis.onmessage = async ({ data }) => postMessage(await runTests(data));
