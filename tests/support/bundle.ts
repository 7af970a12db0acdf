// The tests as modules that run outside of Deno, on the package that a lab has installed.

import * as esbuild from "npm:esbuild@0.28.2";
import type { Lab } from "./project.ts";

/** What the tests and these modules need in a lab. */
export const needed = ["deno-std@1.4.0", "fast-check@4"];

const tests = new URL("../", import.meta.url);

/** These look at the repository, which is not in the package. */
const OF_SOURCES = ["layers_test.ts", "repository_test.ts"];

/** The files of tests that can run on the package. */
async function testFiles(): Promise<string[]> {
  const names: string[] = [];
  for (const folder of ["", "properties/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, tests))) {
      if (name.endsWith("_test.ts") && !OF_SOURCES.includes(name)) {
        names.push(folder + name);
      }
    }
  }
  return names;
}

/** All in one folder, since they import the package from where they are. */
const builtName = (name: string) => name.replace("/", "_").replace(/\.ts$/, "");

/** A module of tests, in a lab. */
export interface TestModule {
  /** Its path in the lab. */
  readonly path: string;
  /** What it imports of Node's. */
  readonly builtins: readonly string[];
}

/**
 * Puts the tests into a lab, each file with all it imports but for the package and what is
 * Node's own, and their data beside them.
 *
 * @param lab Has what is needed.
 * @param platform What their own dependencies are to be made for.
 * @param define What stands for expressions that a platform does not have.
 * @returns The modules.
 */
export async function bundleTests(
  lab: Lab,
  platform: "node" | "browser",
  define: Record<string, string> = {},
): Promise<TestModule[]> {
  const names = await testFiles();
  const { outputs } = (await esbuild.build({
    absWorkingDir: lab.folder,
    entryPoints: names.map((name) => ({
      in: new URL(name, tests).pathname,
      out: builtName(name),
    })),
    outdir: "tests",
    bundle: true,
    metafile: true,
    format: "esm",
    platform,
    define,
    target: "node20", // lowers decorators
    outExtension: { ".js": ".mjs" },
    nodePaths: [`${lab.folder}/node_modules`],
    alias: {
      "@std/assert": "deno-std/assert/mod.js",
      "@std/async/delay": "deno-std/async/delay.js",
      "@std/testing/time": new URL("npm/time.ts", import.meta.url).pathname,
    },
    external: ["@asyncbackoff/*", "node:*"],
    plugins: [internals],
  })).metafile;
  await esbuild.stop();
  await Deno.mkdir(`${lab.folder}/tests/conformance`);
  const data = "conformance/aiomisc.jsonl";
  await Deno.copyFile(new URL(data, tests), `${lab.folder}/tests/${data}`);
  return Object.entries(outputs).map(([path, { imports }]) => ({
    path,
    builtins: imports.map(({ path }) => path).filter((path) => path.startsWith("node:")),
  }));
}

const internals: esbuild.Plugin = {
  name: "internals of the package",
  setup: (build) =>
    build.onResolve({ filter: /\/src\/\w+\.ts$/ }, ({ path }) => ({
      path: `../node_modules/@asyncbackoff/asyncbackoff/src/${
        path.slice(path.lastIndexOf("/") + 1, -3)
      }.js`,
      external: true,
    })),
};

/** Tells how many tests a module has, by Node, which can load each of them. */
export async function countTests(lab: Lab, { path }: TestModule): Promise<number> {
  const script = `let count = 0;
    globalThis.Deno = { test: () => count++ };
    await import("./${path}");
    console.log(count);
    process.exit();`;
  return Number(await lab.run("node", ["--input-type=module", "--eval", script]));
}

/**
 * Tells where the package's entries are in a lab, by their names, for where there is no
 * import map: a browser's workers, and Cloudflare's.
 */
export async function placesOf(lab: Lab): Promise<Record<string, string>> {
  const name = "@asyncbackoff/asyncbackoff";
  const folder = `/node_modules/${name}/`;
  const manifest = await Deno.readTextFile(`${lab.folder}${folder}package.json`);
  const exports: Record<string, { import: string }> = JSON.parse(manifest).exports;
  const place = (entry: string) => folder + exports[entry]?.import.slice("./".length);
  return { [name]: place("."), [`${name}/testing`]: place("./testing") };
}

/** Code in which names of the package's entries stand as their places. */
export function placed(code: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce(
    (code, [name, place]) => code.replaceAll(`"${name}"`, `"${place}"`),
    code,
  );
}
