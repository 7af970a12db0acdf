// Loads both builds into one realm, and runs an attempt of each. Prints for each build whether
// it knows its own attempt, whether the other one does, and whether `withoutWaits` of the other
// one turns off its pauses.

import { createRequire } from "node:module";
import * as esm from "@asyncbackoff/asyncbackoff";
import * as esmTesting from "@asyncbackoff/asyncbackoff/testing";

const require = createRequire(import.meta.url);
const cjs = require("@asyncbackoff/asyncbackoff");
const cjsTesting = require("@asyncbackoff/asyncbackoff/testing");

/** Determines whether a build knows the attempt that is running. */
function knows(build, attempt) {
  try {
    return build.currentAttempt() === attempt;
  } catch {
    return false;
  }
}

/** Tells whether `withoutWaits` of one build turns off the pauses of another. */
async function isWithoutWaits(build, testing) {
  const backoff = new build.Backoff({ exceptions: "all", maxTries: 2, pause: 100 });
  const waits = testing.withoutWaits();
  await backoff.execute(() => Promise.reject(new Error("down"))).catch(() => {});
  waits.restore();
  return backoff.statistic.pauseTime < 90;
}

for (const [own, other, testing] of [[esm, cjs, cjsTesting], [cjs, esm, esmTesting]]) {
  const known = await new own.Backoff().execute((attempt) => [
    knows(own, attempt),
    knows(other, attempt),
  ]);
  console.log(JSON.stringify([...known, await isWithoutWaits(own, testing)]));
}
