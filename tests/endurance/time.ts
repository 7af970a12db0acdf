// Limits on the real clock, in Node, Deno and Bun: timers are never early, executions are cut
// once, a blocked event loop loses no value, and a wall clock that jumps changes nothing. How
// late timers are depends on the machine: it is printed, and not judged.

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";

const count = (full: number) => isSmall ? full / 10 : full;

/** Where Debian's package puts the library; the loader puts in what `$LIB` is. */
const faketime = "/usr/$LIB/faketime/libfaketimeMT.so.1";
const hasFaketime = await new Deno.Command("faketime", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, folder, run }) => {
  console.log(`${name}:`);
  await run("time/alone.ts", [seed, count(300)]);
  await run("time/limits.ts", [seed, count(10_000)]);
  await run("time/limits.ts", [seed, count(10_000), 100]);
  await run("time/blocked.ts", [seed, count(3000)]);
  if (!hasFaketime) {
    return console.log("  SKIPPED: a wall clock that jumps, as faketime is not installed");
  }
  const file = `${folder}/wall_clock`;
  await Deno.writeTextFile(file, "+0");
  await run("time/limits.ts", [seed, count(10_000), 100, file], {
    LD_PRELOAD: faketime,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  });
});
