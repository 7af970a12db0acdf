// Cloudflare's runtime, on this machine.

import { placesOf } from "../bundle.ts";
import type { Lab } from "../lab.ts";

/** Not imported by its name, which would load 150 MB wherever this file is checked. */
const miniflare = "npm:miniflare@4.20260730.0";
/** The day whose behaviour is asked for. */
const compatibilityDate = "2026-07-01";
/** How many copies of a module one file of tests may ask for. */
const MOST_COPIES = 40;

/** A worker that runs. */
export interface RunningWorker extends AsyncDisposable {
  /** Sends it what is to be sent as JSON, and tells what it answers. */
  ask<T>(question: unknown): Promise<T>;
}

/** Starts a worker from its file in this folder, with the package and other files of a lab. */
export async function startWorker(
  lab: Lab,
  name: string,
  paths: readonly string[] = [],
): Promise<RunningWorker> {
  const here = new URL(`${name}.js`, import.meta.url);
  const runner = new URL("../browser/run_tests.js", import.meta.url);
  const modules = [
    await moduleOf(lab, `${name}.js`, here),
    await moduleOf(lab, "run_tests.js", runner),
    ...await Promise.all(paths.map((path) => moduleOf(lab, path))),
    ...await packageModules(lab),
  ];
  const { Miniflare } = await import(miniflare);
  const worker = new Miniflare({
    modules,
    compatibilityDate,
    compatibilityFlags: ["nodejs_compat"],
  });
  return {
    async ask(question) {
      const init = { method: "POST", body: JSON.stringify(question) };
      const response = await worker.dispatchFetch("http://localhost/", init);
      if (!response.ok) throw new Error(await response.text());
      return await response.json();
    },
    [Symbol.asyncDispose]: () => worker.dispose(),
  };
}

interface Module {
  type: "ESModule" | "Text";
  path: string;
  contents: string;
}

async function moduleOf(
  lab: Lab,
  path: string,
  file: string | URL = `${lab.folder}/${path}`,
): Promise<Module> {
  let contents = await Deno.readTextFile(file);
  for (const [name, place] of Object.entries(await placesOf(lab))) {
    contents = contents.replaceAll(`"${name}"`, `"${place}"`);
  }
  return { type: path.endsWith("js") ? "ESModule" : "Text", path, contents };
}

/** The package, and the copies of its modules that tests load: nothing is made on demand. */
async function packageModules(lab: Lab): Promise<Module[]> {
  const folder = "node_modules/@asyncbackoff/asyncbackoff";
  const modules = [await moduleOf(lab, `${folder}/mod.js`)];
  for await (const { name } of Deno.readDir(`${lab.folder}/${folder}/src`)) {
    if (!name.endsWith(".js")) continue;
    const original = await moduleOf(lab, `${folder}/src/${name}`);
    modules.push(original);
    for (let copy = 1; copy <= MOST_COPIES; copy++) {
      modules.push({ ...original, path: `${original.path}?copy=${copy}` });
    }
  }
  return modules;
}
