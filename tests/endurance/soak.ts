// Two million executions of many scenarios, and one execution of a million attempts, in
// Node, Deno and Bun; see soak/executions.ts and soak/attempts.ts.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

const count = (full: number) => isSmall ? full / 20 : full;

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, run }) => {
  console.log(`${name}:`);
  await run("soak/executions.ts", [seed, count(2_000_000)]);
  await run("soak/attempts.ts", [count(1_000_000)]);
});
