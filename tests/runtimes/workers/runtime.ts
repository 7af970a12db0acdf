// Runs workers in Cloudflare's runtime, on this machine.

import { entryPathsOf, withPaths } from "../../support/bundle.ts";
import type { Project } from "../../support/project.ts";

/**
 * A variable, because a literal import would download 150 MB whenever this file is checked.
 */
const miniflare = "npm:miniflare@4.20260730.0";
/** The day whose behaviour of the runtime is requested. */
const compatibilityDate = "2026-07-01";
/** The longest time that an answer may take, in ms. */
const MAX_MS = 300_000;

/** A worker that is running. */
export interface RunningWorker extends AsyncDisposable {
  /** Sends a value as JSON, and returns the answer. */
  ask<T>(question: unknown): Promise<T>;
}

/**
 * Starts a worker from its file in this folder, with the package and other files of a
 * project.
 */
export async function startWorker(
  project: Project,
  name: string,
  paths: readonly string[] = [],
  // The only part of Node is AsyncLocalStorage.
  compatibilityFlags: readonly string[] = ["nodejs_als"],
): Promise<RunningWorker> {
  const { Miniflare } = await import(miniflare);
  const entryPaths = await entryPathsOf(project);
  const moduleOf = (path: string, file: string | URL = `${project.folder}/${path}`) =>
    readModule(path, file, entryPaths);
  let lastLog = "nothing";
  const worker = new Miniflare({
    modules: [
      await moduleOf(`${name}.js`, new URL(`${name}.js`, import.meta.url)),
      ...await Promise.all(paths.map((path) => moduleOf(path))),
      ...await packageModules(project, (path) => moduleOf(path)),
    ],
    compatibilityDate,
    compatibilityFlags,
    handleStructuredLogs: ({ message }: { message: string }) => void (lastLog = message),
  });
  return {
    async ask(question) {
      const response = await fetchFrom(worker, JSON.stringify(question)).catch(String);
      if (response instanceof Object && response.ok) return await response.json();
      const answer = response instanceof Object ? await response.text() : response;
      throw new Error(`The worker answered: ${answer}\nIts last log: ${lastLog}`);
    },
    [Symbol.asyncDispose]: () => worker.dispose(),
  };
}

interface Worker {
  dispatchFetch(url: string, init: RequestInit): Promise<Response>;
}

async function fetchFrom(worker: Worker, body: string): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(`no answer within ${MAX_MS} ms`), MAX_MS);
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

/** Reads a module, and replaces the names of the package's entry points by their paths. */
async function readModule(
  path: string,
  file: string | URL,
  entryPaths: Readonly<Record<string, string>>,
): Promise<Module> {
  const contents = withPaths(await Deno.readTextFile(file), entryPaths);
  return { type: path.endsWith("js") ? "ESModule" : "Text", path, contents };
}

/** Reads the modules of the package. */
async function packageModules(
  project: Project,
  moduleOf: (path: string) => Promise<Module>,
): Promise<Module[]> {
  const folder = "node_modules/@asyncbackoff/asyncbackoff";
  const paths = await scriptsIn(project, `${folder}/dist/esm`);
  return await Promise.all(paths.map(moduleOf));
}

/** The paths of the scripts in a folder and in the folders below it. */
async function scriptsIn(project: Project, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${project.folder}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await scriptsIn(project, path));
    else if (name.endsWith(".js")) paths.push(path);
  }
  return paths;
}
