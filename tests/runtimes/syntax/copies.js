// Loads both builds into one realm, and runs an attempt of each. Prints for each build whether
// the other one knows the attempt.

import { createRequire } from "node:module";
import * as esm from "@asyncbackoff/asyncbackoff";

const cjs = createRequire(import.meta.url)("@asyncbackoff/asyncbackoff");

/** Determines whether a build knows the attempt that is running. */
function knows(build, attempt) {
  try {
    return build.currentAttempt() === attempt;
  } catch {
    return false;
  }
}

for (const [own, other] of [[esm, cjs], [cjs, esm]]) {
  const known = await new own.Backoff().execute((attempt) => [
    knows(own, attempt),
    knows(other, attempt),
  ]);
  console.log(JSON.stringify(known));
}
