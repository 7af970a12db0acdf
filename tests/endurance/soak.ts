// Two million executions of many scenarios, one execution of a million attempts, and a million
// executions in one attempt, in Node, Deno and Bun; see the files in soak/.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

const count = (full: number) => isSmall ? full / 20 : full;

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, run }) => {
  console.log(`${name}:`);
  await run("soak/executions.ts", [seed, count(2_000_000)]);
  await run("soak/attempts.ts", [count(1_000_000)]);
  await run("soak/nested.ts", [count(1_000_000)]);
});
