// Calls through a proxy that breaks them, in Node, Deno and Bun; see faults/calls.ts.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, build, run }) => {
  console.log(`${name}:`);
  await run("faults/calls.ts", [
    seed,
    isSmall ? 1000 : 10_000,
    await build("faults/server.ts"),
  ]);
});
