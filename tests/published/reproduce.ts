// Reproduces published results with the library and its test clock, prints them beside each
// other, and fails if one does not agree. With --pictures, it also draws them, in
// examples/pictures/.

import { RetryBudget, TokenBudget } from "@asyncbackoff/asyncbackoff/budget";
import { runContention } from "./aws_jitter.ts";
import { runLoads, runRetryBudget, runThrottling } from "./budgets.ts";
import { type Comparison, tableOf } from "./comparison.ts";
import { compareEnd, runFleet } from "./fleet.ts";
import { runNestedLayers } from "./nesting_fixture.ts";
import { drawLoads, drawShards, drawTails, drawThrottle } from "./guard_pictures.ts";
import {
  compareTails,
  runBackupRequests,
  runFailsafeHedges,
  runGrpcHedging,
  runTails,
} from "./hedging.ts";
import { runLayers } from "./layers.ts";
import { drawContention, drawFleet } from "./pictures.ts";
import { runShard } from "./shard.ts";
import { runMistakes, runThrottles } from "./throttling.ts";
import { drawTimeline } from "./timeline_fixture.ts";

const start = performance.now();
const all: Comparison[] = [];

function report(title: string, comparisons: readonly Comparison[]): void {
  console.log(`\n${title}\n${tableOf(comparisons)}`);
  all.push(...comparisons);
}

const cells = await runContention();
report(
  "Exponential Backoff And Jitter (AWS, 2015): means of 20 runs",
  cells.flatMap(({ comparisons }) => comparisons),
);
report("gRPC's retry throttling", await runThrottling());
report("Finagle's retry budget", await runRetryBudget());
report("Load for each execution, three tries", await runLoads());
const fleets = {
  "no budget": await runFleet(() => null),
  "RetryBudget": await runFleet(() =>
    new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 })
  ),
  "TokenBudget": await runFleet(() => new TokenBudget()),
};
report(
  "A fleet of 1,000 clients after a spike",
  Object.entries(fleets).map(([name, fleet]) =>
    compareEnd(name, fleet, name !== "no budget")
  ),
);
report("Load on a server that fails: layers, budgets and breakers", await runLayers());
report("Adaptive throttling (the SRE book's client side)", runThrottles());
report("Adaptive throttling: three mistakes", runMistakes());
report("One shard of ten is down: means of 6 runs", await runShard());
report("gRPC's hedging", await runGrpcHedging());
report("Finagle's backup requests", await runBackupRequests());
report("failsafe-go's hedges", await runFailsafeHedges());
const tails = await runTails(200_000);
report("Hedging a service with a long tail: 200,000 executions", compareTails(tails));

if (Deno.args.includes("--pictures")) {
  const folder = new URL("../../examples/pictures/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("aws_jitter.svg", folder), drawContention(cells));
  await Deno.writeTextFile(new URL("fleet.svg", folder), drawFleet(fleets));
  await Deno.writeTextFile(new URL("timeline.svg", folder), await drawTimeline());
  const layers = await runNestedLayers({
    isNested: true,
    retryExhausted: false,
    failures: 2,
  });
  await Deno.writeTextFile(new URL("nesting.svg", folder), layers.picture);
  await Deno.writeTextFile(new URL("shards.svg", folder), await drawShards());
  await Deno.writeTextFile(new URL("throttle.svg", folder), drawThrottle());
  await Deno.writeTextFile(new URL("hedging.svg", folder), drawTails(tails));
  await Deno.writeTextFile(new URL("loads.svg", folder), await drawLoads());
}

const wrong = all.filter(({ agrees }) => !agrees).length;
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`\n${all.length - wrong} agree, ${wrong} do not; ${seconds} s`);
if (wrong > 0) Deno.exit(1);
