// Reproduces published results on our engine and our virtual clock, prints them beside ours,
// and fails if one is out. With --pictures it also draws them, into examples/pictures/.

import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { playContention } from "./aws_jitter.ts";
import { playLoads, playRetryBudget, playThrottling } from "./budgets.ts";
import { type Comparison, tableOf } from "./comparison.ts";
import { compareEnd, playFleet } from "./fleet.ts";
import { drawContention, drawFleet } from "./pictures.ts";
import { drawScene } from "./timeline_fixture.ts";

const start = performance.now();
const all: Comparison[] = [];

function report(title: string, comparisons: readonly Comparison[]): void {
  console.log(`\n${title}\n${tableOf(comparisons)}`);
  all.push(...comparisons);
}

const cells = await playContention();
report(
  "Exponential Backoff And Jitter (AWS, 2015): means of 20 runs",
  cells.flatMap(({ comparisons }) => comparisons),
);
report("gRPC's retry throttling", await playThrottling());
report("Finagle's retry budget", await playRetryBudget());
report("Load for each execution, three tries", await playLoads());
const fleets = {
  "no budget": await playFleet(() => null),
  "RetryBudget": await playFleet(() => new RetryBudget({ share: 0.2, reserve: 0 })),
  "TokenBudget": await playFleet(() => new TokenBudget()),
};
report(
  "A fleet of 1,000 clients after a spike",
  Object.entries(fleets).map(([name, fleet]) =>
    compareEnd(name, fleet, name !== "no budget")
  ),
);

if (Deno.args.includes("--pictures")) {
  const folder = new URL("../../examples/pictures/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("aws_jitter.svg", folder), drawContention(cells));
  await Deno.writeTextFile(new URL("fleet.svg", folder), drawFleet(fleets));
  await Deno.writeTextFile(new URL("timeline.svg", folder), await drawScene());
}

const wrong = all.filter(({ isRight }) => !isRight).length;
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`\n${all.length - wrong} agree, ${wrong} do not; ${seconds} s`);
if (wrong > 0) Deno.exit(1);
