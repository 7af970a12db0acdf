// Builds the sources for npm: an ESM folder and a CommonJS folder, each with one core file
// and a small file for each entry point. A file costs about 0.8 ms to load, so `.` loads
// two.

import * as esbuild from "npm:esbuild@0.28.2";

/** An entry point of the package: its name in the manifest, its source, its built file. */
export interface Entry {
  /** Such as `.` or `./pauses`. */
  readonly name: string;
  /** Such as `src/pauses/mod.ts`. */
  readonly source: string;
  /** Such as `pauses`; `index` for `.`. */
  readonly file: string;
}

/**
 * Reads the entry points of the package from the exports of deno.json.
 *
 * @param exports The exports: names, and paths of sources.
 * @returns The entry points.
 */
export function entriesOf(exports: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(exports).map(([name, path]) => ({
    name,
    source: path.slice("./".length),
    file: name === "." ? "index" : name.slice("./".length),
  }));
}

type Format = "esm" | "cjs";

const shared = {
  bundle: true,
  write: true,
  // No syntax that Babel's preset of React Native and Hermes do not take.
  target: "es2022",
  platform: "neutral",
  external: ["node:*"],
  sourcemap: true,
  charset: "utf8",
  logLevel: "error",
} as const satisfies esbuild.BuildOptions;

/**
 * Builds both formats.
 *
 * @param root The repository.
 * @param entries The entry points. The first one is `.`.
 * @param out The folder to build into: `esm` and `cjs` are made in it.
 */
export async function build(
  root: string,
  entries: readonly Entry[],
  out: string,
): Promise<void> {
  const core = await coreOf(root, entries);
  for (const format of ["esm", "cjs"] as const) {
    const folder = `${out}/${format}`;
    await buildCore(root, core, format, folder);
    await buildEntries(root, core, entries, format, folder);
    const type = format === "esm" ? "module" : "commonjs";
    const manifest = { type, sideEffects: false };
    await Deno.writeTextFile(`${folder}/package.json`, `${JSON.stringify(manifest)}\n`);
    if (format === "cjs") await makeConfigurable(folder);
  }
  await esbuild.stop();
}

/**
 * For CommonJS of Node, esbuild lists the names of exports where Node looks for them. Modules are
 * strict and scripts are not, so a function without a `this` would get the global object.
 */
const platformOf = (format: Format): esbuild.BuildOptions =>
  format === "cjs" ? { platform: "node", banner: { js: '"use strict";' } } : {};

/** The modules of the core: those that `.` needs. */
async function coreOf(root: string, [main]: readonly Entry[]): Promise<string[]> {
  const { metafile } = await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [main?.source ?? ""],
    format: "esm",
    outdir: ".",
    write: false,
    metafile: true,
  });
  return Object.keys(metafile.inputs).filter((path) => path !== main?.source).sort();
}

async function buildCore(
  root: string,
  core: readonly string[],
  format: Format,
  folder: string,
): Promise<void> {
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    stdin: {
      contents: core.map((path) => `export * from "./${path}";\n`).join(""),
      resolveDir: root,
      sourcefile: "core.ts",
      loader: "ts",
    },
    format,
    outfile: `${folder}/core.js`,
    ...platformOf(format),
  });
}

async function buildEntries(
  root: string,
  core: readonly string[],
  entries: readonly Entry[],
  format: Format,
  folder: string,
): Promise<void> {
  const paths = new Set(core.map((path) => `${root}/${path}`));
  await esbuild.build({
    ...shared,
    absWorkingDir: root,
    entryPoints: entries.map(({ source, file }) => ({ in: source, out: file })),
    format,
    outdir: folder,
    ...platformOf(format),
    plugins: [{
      name: "core",
      setup: (build) =>
        build.onResolve(
          { filter: /^\./ },
          ({ path, resolveDir }) =>
            paths.has(new URL(path, `file://${resolveDir}/`).pathname)
              ? { path: "./core.js", external: true }
              : undefined,
        ),
    }],
  });
}

/** Exports of CommonJS can be replaced, such as by `jest.spyOn`, only if they are configurable. */
async function makeConfigurable(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    // On the same lines, so that the source map stays right.
    const configurable = text.replace(
      /(__defProp\((?:target|to), \w+, \{ get: .*?enumerable: .*) \}\);$/gm,
      "$1, configurable: true });",
    );
    if (configurable.split(", configurable: true });").length !== 3) {
      throw new Error(
        `Cannot make the exports of ${name} configurable: esbuild has changed`,
      );
    }
    await Deno.writeTextFile(`${folder}/${name}`, configurable);
  }
}
