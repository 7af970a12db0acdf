// The pictures of the pages: their colors, the titles of their axes, and whether they are up to date.

import { assert, assertEquals } from "@std/assert";
import { drawLimits } from "../../bench/picture.ts";
import { drawTimeline } from "../published/timeline_fixture.ts";
import { assertPlainColors, textsIn } from "../support/svg.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

const FACTOR_OF_TEN = "(logarithmic scale: each step is a factor of ten)";

/** The titles of the axes of each picture. */
const AXES: Readonly<Record<string, readonly string[]>> = {
  "bench/limits.svg": [`time as a multiple of a bare await ${FACTOR_OF_TEN}`],
  "examples/pictures/aws_jitter.svg": [
    "number of clients",
    `calls ${FACTOR_OF_TEN}`,
    `time in ms ${FACTOR_OF_TEN}`,
  ],
  "examples/pictures/fleet.svg": [
    "time since the beginning, in seconds",
    "requests answered in time, as a ratio to the calm load",
  ],
  "examples/pictures/hedging.svg": [
    "the slowest one in so many calls (logarithmic scale: each step is a factor of ten)",
    "latency in ms (logarithmic scale: each step is a factor of ten)",
  ],
  "examples/pictures/loads.svg": [
    "failure rate of the server, in %",
    "calls that reach the server, for each call",
  ],
  "examples/pictures/shards.svg": [
    "number of shards that are down",
    "share of calls that succeed",
  ],
  "examples/pictures/throttle.svg": [
    "time since the beginning, in seconds",
    "requests sent, as a multiple of the capacity",
  ],
  "examples/pictures/nesting.svg": ["time since the beginning, in ms"],
  "examples/pictures/timeline.svg": ["time since the beginning, in ms"],
};

Deno.test("Pictures have plain colors as attributes, and titles of their axes", async () => {
  for (const folder of ["bench", "examples/pictures"]) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (!name.endsWith(".svg")) continue;
      const path = `${folder}/${name}`;
      const svg = await read(path);
      assertPlainColors(svg);
      const titles = AXES[path] ?? [];
      assert(titles.length > 0, `${path} has no titles of axes`);
      assertEquals(titles.filter((title) => !textsIn(svg).includes(title)), [], path);
    }
  }
});

Deno.test("Pictures of the timeline and of the benchmarks are up to date", async () => {
  assertEquals(await read("examples/pictures/timeline.svg"), await drawTimeline());
  assertEquals(await read("bench/limits.svg"), drawLimits(await read("bench/README.md")));
});

Deno.test("Pictures with colors that a viewer may not support are noticed", () => {
  const isPlain = (shape: string) => {
    try {
      assertPlainColors(`<svg>${shape}</svg>`);
      return true;
    } catch {
      return false;
    }
  };
  assertEquals(
    [
      '<text fill="#24292f">a</text>',
      '<path fill="none" stroke="#24292f"/>',
      "<text>a</text>",
      '<text class="ink">a</text>',
      '<path fill="var(--ink)"/>',
      '<path stroke="#24292f"/>',
      '<path fill="none"/>',
      '<rect fill="#24292f" width="NaN"/>',
      "<svg>",
    ].map(isPlain),
    [true, true, false, false, false, false, false, false, false],
  );
});
