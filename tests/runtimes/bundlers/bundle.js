// Bundles a program of the project that holds this file. The arguments are the name of the
// bundler, the path of the program, and the path of the bundle. Bundles of Metro and webpack
// are scripts, those of the others are modules.

import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";

const folder = import.meta.dirname;

/** A function for each bundler, which bundles the program at a path into a file. */
const bundlers = {
  async esbuild(program, file) {
    const { build } = await import("esbuild");
    await build({
      entryPoints: [program],
      outfile: file,
      bundle: true,
      minify: true,
      format: "esm",
      external: ["node:*"],
    });
  },

  async rollup(program, file) {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { default: commonjs } = await import("@rollup/plugin-commonjs");
    const bundle = await rollup({
      input: program,
      external: /^node:/,
      plugins: [nodeResolve(), commonjs()],
      onLog(level, log, handle) {
        if (log.code !== "EMPTY_BUNDLE") handle(level, log);
      },
    });
    await bundle.write({ file, format: "es" });
  },

  async vite(program, file) {
    const { build } = await import("vite");
    const output = { entryFileNames: basename(file) };
    await build({
      root: folder,
      configFile: false,
      logLevel: "warn",
      build: {
        outDir: dirname(file),
        emptyOutDir: false,
        modulePreload: false,
        rollupOptions: { input: program, output },
      },
    });
  },

  async webpack(program, file) {
    const { default: webpack } = await import("webpack");
    const stats = await new Promise((resolve, reject) =>
      webpack({
        mode: "production",
        context: folder,
        entry: program,
        output: { path: dirname(file), filename: basename(file) },
      }, (error, stats) => error === null ? resolve(stats) : reject(error))
    );
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  },

  /** Resolves `exports` of manifests, like React Native 0.79 and later. */
  "metro with exports": (program, file) => metro(program, file, true),

  /** Resolves `main` of manifests, and files, like React Native before 0.79. */
  "metro without exports": (program, file) => metro(program, file, false),
};

/** Bundles by Metro's own defaults, which need no React Native, and by its Babel preset. */
async function metro(program, file, unstable_enablePackageExports) {
  const { default: Metro } = await import("metro");
  const defaults = await Metro.loadConfig({ cwd: folder }, {});
  const config = Metro.mergeConfig(defaults, {
    projectRoot: folder,
    watchFolders: [folder],
    cacheStores: [],
    fileMapCacheDirectory: folder,
    maxWorkers: 1,
    reporter: { update() {} },
    resolver: { useWatchman: false, unstable_enablePackageExports },
  });
  const out = `${file}.js`; // Metro adds the extension if it is not there
  const options = { entry: program, out, dev: false, minify: false, platform: "ios" };
  await Metro.runBuild(config, options);
  await rename(out, file);
}

const [name, program, file] = process.argv.slice(2);
await bundlers[name](join(folder, program), join(folder, file));
