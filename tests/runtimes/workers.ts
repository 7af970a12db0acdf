// The installed npm package in Cloudflare's runtime: first fetches from a server that
// misbehaves, each fixture alone and then all at once, and then the tests.

import { conclude, type Outcome } from "./browser/outcome.ts";
import { bundleTests, neededPackages, pathOfData } from "../support/bundle.ts";
import { makeProject } from "../support/project.ts";
import { type RunningWorker, startWorker } from "./workers/runtime.ts";
import { type Server, startServer } from "./workers/server.ts";

/** A fixture of fixtures.js, and what is expected of it. */
interface Fixture {
  readonly name: string;
  readonly outcome: string;
  /** The instant at which it ends, in ms after its start. */
  readonly at: number;
  /**
   * The path that it fetches, the requests that the server gets, and how many are aborted.
   */
  readonly path: string;
  readonly requests: number;
  readonly aborted: number;
}

const fixtures: Fixture[] = ([
  ["attempt timeout", "attempt", 200, "never", 1, 1],
  ["attempt timeout, then success", "up", 300, "second", 2, 1],
  ["deadline in an attempt", "deadline", 300, "never", 1, 1],
  ["deadline in a pause", "status 503", 300, "down", 1, 0],
  ["abort in an attempt", "enough", 200, "never", 1, 1],
  ["abort in a pause", "enough", 200, "down", 1, 0],
  ["retry", "up", 200, "third", 3, 0],
  ["success within limits", "up", 0, "first", 1, 0],
] as const).map(([name, outcome, at, path, requests, aborted]) => (
  { name, outcome, at, path, requests, aborted }
));
/** The longest delay of an end, in ms, because the machine may be busy. */
const MAX_DELAY = 2000;

let played = 0;

async function play(
  fixture: Fixture,
  worker: RunningWorker,
  server: Server,
): Promise<void> {
  const { name, outcome, at, path, requests, aborted } = fixture;
  const folder = `${server.origin}/${++played}`;
  const beganAt = performance.now();
  const answer = await worker.ask<{ outcome: string; took: number }>({
    name,
    server: folder,
  });
  const took = [answer.took, performance.now() - beganAt];
  const seen = await server.see(`${folder}/${path}`, aborted);
  const isValid = answer.outcome === outcome &&
    took.every((ms) => ms >= at && ms < at + MAX_DELAY) &&
    seen.requests === requests && seen.aborted === aborted;
  if (isValid) return;
  const actual = JSON.stringify({ ...answer, took, ...seen });
  throw new Error(`"${name}" must end with ${JSON.stringify(fixture)}, got ${actual}`);
}

async function playAll(): Promise<void> {
  await using server = startServer();
  await using worker = await startWorker(project, "fixtures");
  for (const fixture of fixtures) {
    await play(fixture, worker, server);
    console.log(`${fixture.name}: ${fixture.outcome}`);
  }
  const crowd = Array.from({ length: 10 }, () => fixtures).flat();
  await Promise.all(crowd.map((fixture) => play(fixture, worker, server)));
  console.log(`${played} fixtures passed, ${crowd.length} of them at once`);
}

/** Runs the tests that can run there: the runtime has node:async_hooks, but not node:vm. */
async function runTests(): Promise<void> {
  const modules = await bundleTests(project, "browser", {
    "import.meta.url": '"file:///tests/"',
  });
  const runner = new URL("browser/run_tests.js", import.meta.url);
  await Deno.copyFile(runner, `${project.folder}/run_tests.js`);
  const outside = modules.filter(({ builtins }) => builtins.includes("node:vm"));
  const paths = modules.filter((each) => !outside.includes(each)).map(({ path }) => path);
  const others = ["run_tests.js", pathOfData("esm")];
  await using worker = await startWorker(project, "tests", [...paths, ...others]);
  const outcome = await worker.ask<Outcome>(paths.map((path) => `/${path}`));
  await conclude("Cloudflare's runtime", outcome, project, outside);
}

await using project = await makeProject(...neededPackages);
await playAll();
await runTests();
