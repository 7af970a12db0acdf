// Server-sent events through a proxy that cuts them, and a stream of a million items, in Node,
// Deno and Bun; see streams/events.ts and streams/items.ts.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, run }) => {
  console.log(`${name}:`);
  await run("streams/items.ts", [isSmall ? 100_000 : 1_000_000]);
  await run("streams/events.ts", [seed, isSmall ? 1000 : 10_000]);
});
