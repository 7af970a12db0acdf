// Cloudflare's runtime, on this machine.

import { placed, placesOf } from "../../support/bundle.ts";
import type { Lab } from "../../support/project.ts";

/** Not imported by its name, which would load 150 MB wherever this file is checked. */
const miniflare = "npm:miniflare@4.20260730.0";
/** The day whose behaviour is asked for. */
const compatibilityDate = "2026-07-01";
/** How long it may take to answer, in ms. */
const MOST = 300_000;
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
  const { Miniflare } = await import(miniflare);
  const places = await placesOf(lab);
  const moduleOf = (path: string, file: string | URL = `${lab.folder}/${path}`) =>
    readModule(path, file, places);
  let said = "nothing";
  const worker = new Miniflare({
    modules: [
      await moduleOf(`${name}.js`, new URL(`${name}.js`, import.meta.url)),
      ...await Promise.all(paths.map((path) => moduleOf(path))),
      ...await packageModules(lab, moduleOf),
    ],
    compatibilityDate,
    compatibilityFlags: ["nodejs_als"], // of Node, AsyncLocalStorage alone
    handleStructuredLogs: ({ message }: { message: string }) => void (said = message),
  });
  return {
    async ask(question) {
      const response = await fetchFrom(worker, JSON.stringify(question)).catch(String);
      if (response instanceof Object && response.ok) return await response.json();
      const answer = response instanceof Object ? await response.text() : response;
      throw new Error(`The worker answered: ${answer}\nIt said last: ${said}`);
    },
    [Symbol.asyncDispose]: () => worker.dispose(),
  };
}

interface Worker {
  dispatchFetch(url: string, init: RequestInit): Promise<Response>;
}

async function fetchFrom(worker: Worker, body: string): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(`nothing within ${MOST} ms`), MOST);
  try {
    const init = { method: "POST", body };
    return await Promise.race([worker.dispatchFetch("http://localhost/", init), promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface Module {
  type: "ESModule" | "Text";
  path: string;
  contents: string;
}

/** Reads a module, in which the names of the package's entries become their places. */
async function readModule(
  path: string,
  file: string | URL,
  places: Readonly<Record<string, string>>,
): Promise<Module> {
  const contents = placed(await Deno.readTextFile(file), places);
  return { type: path.endsWith("js") ? "ESModule" : "Text", path, contents };
}

/** The package, and the copies of its modules that tests load: nothing is made on demand. */
async function packageModules(
  lab: Lab,
  moduleOf: (path: string) => Promise<Module>,
): Promise<Module[]> {
  const folder = "node_modules/@asyncbackoff/asyncbackoff";
  const modules = [await moduleOf(`${folder}/mod.js`)];
  for await (const { name } of Deno.readDir(`${lab.folder}/${folder}/src`)) {
    if (!name.endsWith(".js")) continue;
    const original = await moduleOf(`${folder}/src/${name}`);
    modules.push(original);
    for (let copy = 1; copy <= MOST_COPIES; copy++) {
      modules.push({ ...original, path: `${original.path}?copy=${copy}` });
    }
  }
  return modules;
}
