// Bundles the tests into modules that run outside of Deno, on the package that a project
// has installed.

import * as esbuild from "npm:esbuild@0.28.2";
import type { Project } from "./project.ts";
import { pathOf } from "./run.ts";

/** The packages that the tests need in a project. */
export const neededPackages = ["deno-std@1.4.0", "fast-check@4"];

const PACKAGE = "@asyncbackoff/asyncbackoff";
const tests = new URL("../", import.meta.url);
/**
 * The folders of the tests that run on the package. Those of tests/repository/ need the
 * sources.
 */
const FOLDERS = ["unit", "behaviour", "properties", "conformance", "published"];
/** The data that the tests read. A bundled test looks for it in its own folder. */
const DATA = "conformance/aiomisc.jsonl";

/** The files of tests in a folder and in the folders below it, as paths from tests/. */
async function testsIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, tests))) {
    if (isDirectory) files.push(...await testsIn(`${folder}/${name}`));
    else if (name.endsWith("_test.ts")) files.push(`${folder}/${name}`);
  }
  return files.sort();
}

/** All bundles are in one folder, so that the package is at the same path for each. */
const bundleNameOf = (file: string) => file.replaceAll("/", ".").replace(/\.ts$/, "");

/** A build of the package. */
export type Build = "esm" | "cjs";

/** A bundled module of tests. */
export interface TestModule {
  /** Its path in the project. */
  readonly path: string;
  /** The modules of Node that it imports. */
  readonly builtins: readonly string[];
}

/**
 * Puts the tests into a project. Each file is bundled with everything that it imports,
 * except the package and the modules of Node.
 *
 * @param project A project with the needed packages.
 * @param platform The platform whose builds of other packages are used.
 * @param define Replacements for expressions that a platform does not support.
 * @param build The build of the package that the tests import.
 * @returns The modules.
 */
export async function bundleTests(
  project: Project,
  platform: "node" | "browser",
  define: Record<string, string> = {},
  build: Build = "esm",
): Promise<TestModule[]> {
  const files = (await Promise.all(FOLDERS.map(testsIn))).flat();
  const { outputs } = (await esbuild.build({
    absWorkingDir: project.folder,
    entryPoints: files.map((file) => ({
      in: new URL(file, tests).pathname,
      out: bundleNameOf(file),
    })),
    outdir: `tests-${build}`,
    bundle: true,
    metafile: true,
    format: "esm",
    platform,
    define,
    target: "node20", // lowers decorators
    outExtension: { ".js": ".mjs" },
    nodePaths: [`${project.folder}/node_modules`],
    alias: {
      "@std/assert": "deno-std/assert/mod.js",
      "@std/async/delay": "deno-std/async/delay.js",
      "@std/testing/time": new URL("std/time.ts", import.meta.url).pathname,
    },
    external: ["node:*"],
    plugins: [await packageAs(build)],
  })).metafile;
  await esbuild.stop();
  await Deno.copyFile(new URL(DATA, tests), `${project.folder}/${pathOfData(build)}`);
  return Object.entries(outputs).map(([path, { imports }]) => ({
    path,
    builtins: imports.map(({ path }) => builtinOf(path)).filter((name) => name !== null),
  }));
}

/** The module of Node that an import needs. One entry point of the package needs one. */
function builtinOf(path: string): string | null {
  if (path.startsWith("node:")) return path;
  return /asyncbackoff\/(dist\/\w+\/)?context(\.js)?$/.test(path)
    ? "node:async_hooks"
    : null;
}

/** The path of the data in a project. */
export const pathOfData = (build: Build): string =>
  `tests-${build}/${DATA.slice(DATA.lastIndexOf("/") + 1)}`;

/**
 * Makes the tests import a build of the package. The ESM build is imported by the package's
 * name, as users do. Tests of the core's insides get them from the built core; other insides
 * are bundled from their sources.
 */
async function packageAs(build: Build): Promise<esbuild.Plugin> {
  const core = await coreFiles();
  const dist = `../node_modules/${PACKAGE}/dist/${build}`;
  return {
    name: "package",
    setup: ({ onResolve }) => {
      onResolve({ filter: new RegExp(`^${PACKAGE}`) }, ({ path }) => {
        if (build === "esm") return { path, external: true };
        const entry = path.slice(PACKAGE.length + 1) || "index";
        return { path: `${dist}/${entry}.js`, external: true };
      });
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const { pathname } = new URL(path, `file://${resolveDir}/`);
        return core.has(pathname) ? { path: `${dist}/core.js`, external: true } : undefined;
      });
    },
  };
}

/** The paths of the files of the core: those that the main entry point imports. */
async function coreFiles(): Promise<Set<string>> {
  const { metafile } = await esbuild.build({
    absWorkingDir: pathOf("").replace(/\/$/, ""),
    entryPoints: ["mod.ts"],
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
  });
  const files = Object.keys(metafile.inputs).filter((file) => file !== "mod.ts");
  return new Set(files.map(pathOf));
}

/** Counts the tests of a module. Node counts them, because it can load every module. */
export async function countTests(project: Project, { path }: TestModule): Promise<number> {
  const script = `let count = 0;
    globalThis.Deno = { test: () => count++ };
    await import("./${path}");
    console.log(count);
    process.exit();`;
  return Number(await project.run("node", ["--input-type=module", "--eval", script]));
}

/**
 * Finds the file of each entry point of the package, for platforms without an import map:
 * web workers, and Cloudflare's workers.
 *
 * @returns The path of each file from the project's folder, by the name of its entry point.
 */
export async function entryPathsOf(project: Project): Promise<Record<string, string>> {
  const folder = `/node_modules/${PACKAGE}/`;
  const manifest = await Deno.readTextFile(`${project.folder}${folder}package.json`);
  const exports: Record<string, string | { import: { default: string } }> =
    JSON.parse(manifest).exports;
  return Object.fromEntries(
    Object.entries(exports).flatMap(([entry, target]) =>
      typeof target === "string"
        ? [] // the manifest itself
        : [[entry.replace(/^\./, PACKAGE), target.import.default.replace(/^\.\//, folder)]]
    ),
  );
}

/** Replaces the names of modules in code by their paths. */
export function withPaths(code: string, paths: Readonly<Record<string, string>>): string {
  return Object.entries(paths).reduce(
    (code, [name, path]) => code.replaceAll(`"${name}"`, `"${path}"`),
    code,
  );
}
