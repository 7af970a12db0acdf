// The installed npm package in Cloudflare's runtime: what comes of fetches from a server that
// misbehaves, each scene alone and then all at once; and the test suite.

import { conclude, type Outcome } from "./browser/outcome.ts";
import { bundleTests, needed } from "../support/bundle.ts";
import { makeLab } from "../support/project.ts";
import { type RunningWorker, startWorker } from "./workers/runtime.ts";
import { type Server, startServer } from "./workers/server.ts";

/** What must come of a scene. */
interface Scene {
  readonly name: string;
  readonly outcome: string;
  /** When it is over, in ms after its beginning. */
  readonly at: number;
  /** What it fetches; how many requests the server gets, and how many are given up. */
  readonly path: string;
  readonly requests: number;
  readonly abandoned: number;
}

const scenes: Scene[] = ([
  ["attempt timeout", "attempt", 200, "never", 1, 1],
  ["attempt timeout, then success", "up", 300, "second", 2, 1],
  ["deadline in an attempt", "deadline", 300, "never", 1, 1],
  ["deadline in a pause", "status 503", 300, "down", 1, 0],
  ["abort in an attempt", "enough", 200, "never", 1, 1],
  ["abort in a pause", "enough", 200, "down", 1, 0],
  ["retry", "up", 200, "third", 3, 0],
  ["success within limits", "up", 0, "first", 1, 0],
] as const).map(([name, outcome, at, path, requests, abandoned]) => (
  { name, outcome, at, path, requests, abandoned }
));
/** How much later a scene may be over, in ms: machines can be busy. */
const LATEST = 2000;

let played = 0;

async function play(scene: Scene, worker: RunningWorker, server: Server): Promise<void> {
  const { name, outcome, at, path, requests, abandoned } = scene;
  const folder = `${server.origin}/${++played}`;
  const beganAt = performance.now();
  const answer = await worker.ask<{ outcome: string; took: number }>({
    name,
    server: folder,
  });
  const took = [answer.took, performance.now() - beganAt];
  const seen = await server.see(`${folder}/${path}`, abandoned);
  const isRight = answer.outcome === outcome &&
    took.every((ms) => ms >= at && ms < at + LATEST) &&
    seen.requests === requests && seen.abandoned === abandoned;
  if (isRight) return;
  const said = JSON.stringify({ ...answer, took, ...seen });
  throw new Error(`"${name}" came to ${said}, and not to ${JSON.stringify(scene)}`);
}

async function playAll(): Promise<void> {
  await using server = startServer();
  await using worker = await startWorker(lab, "scenes");
  for (const scene of scenes) {
    await play(scene, worker, server);
    console.log(`${scene.name}: ${scene.outcome}`);
  }
  const crowd = Array.from({ length: 10 }, () => scenes).flat();
  await Promise.all(crowd.map((scene) => play(scene, worker, server)));
  console.log(`${played} scenes passed, ${crowd.length} of them at once`);
}

/** The tests that can: the runtime has node:async_hooks, but not node:vm. */
async function runTests(): Promise<void> {
  const modules = await bundleTests(lab, "browser", {
    "import.meta.url": '"file:///tests/"',
    "import.meta.resolve": "Deno.resolve",
  });
  const runner = new URL("browser/run_tests.js", import.meta.url);
  await Deno.copyFile(runner, `${lab.folder}/run_tests.js`);
  const outside = modules.filter(({ builtins }) => builtins.includes("node:vm"));
  const paths = modules.filter((each) => !outside.includes(each)).map(({ path }) => path);
  const others = ["run_tests.js", "tests/conformance/aiomisc.jsonl"];
  await using worker = await startWorker(lab, "tests", [...paths, ...others]);
  const outcome = await worker.ask<Outcome>(paths.map((path) => `/${path}`));
  await conclude("Cloudflare's runtime", outcome, lab, outside);
}

await using lab = await makeLab(...needed);
await playAll();
await runTests();
