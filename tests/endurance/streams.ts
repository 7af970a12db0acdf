// Server-sent events through a proxy that cuts them, in Node, Deno and Bun; see streams/events.ts.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, run }) => {
  console.log(`${name}:`);
  await run("streams/events.ts", [seed, isSmall ? 1000 : 10_000]);
});
