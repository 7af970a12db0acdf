// Limits on the real clock, in Node, Deno and Bun. Timers are never early, each execution
// times out once, a blocked event loop loses no value, and a wall clock that jumps changes
// nothing. The lateness of timers depends on the machine, so it is printed but not
// asserted.

import { run } from "../support/run.ts";
import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

const count = (full: number) => isSmall ? full / 10 : full;

/** The path in Debian's package. The loader replaces `$LIB`. */
const faketime = "/usr/$LIB/faketime/libfaketimeMT.so.1";
const hasFaketime = await run("faketime", ["--version"]).then(() => true, () => false);

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, folder, run: runScript }) => {
  console.log(`${name}:`);
  await runScript("time/alone.ts", [seed, count(300)]);
  await runScript("time/limits.ts", [seed, count(10_000)]);
  await runScript("time/limits.ts", [seed, count(10_000), 100]);
  await runScript("time/blocked.ts", [seed, count(3000)]);
  if (!hasFaketime) {
    return console.log("  SKIPPED: a wall clock that jumps, as faketime is not installed");
  }
  const file = `${folder}/wall_clock`;
  await Deno.writeTextFile(file, "+0");
  await runScript("time/limits.ts", [seed, count(10_000), 100, file], {
    LD_PRELOAD: faketime,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  });
});
