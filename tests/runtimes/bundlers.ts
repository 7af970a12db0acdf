// Bundles a program that uses each entry point of the installed npm package, by the bundlers
// of the web and by Metro with React Native's Babel preset. Each bundle holds one copy of the
// core, and retries in Node. A program that only imports an entry point is bundled to nothing,
// even if no manifest says that the package has no side effects. A program that follows no
// attempts does not mention the module of Node that `./context` needs.
//
// The arguments are names of setups: web, react-native-0.73 and react-native; all of them if
// none is named.

import { makeProject, type Project } from "../support/project.ts";
import { pathOf } from "../support/run.ts";
import { EXPECTED, type Format, FORMATS, writePrograms } from "./bundlers/program.ts";

/** Bundlers that are installed into one project. */
interface Setup {
  readonly packages: readonly string[];
  /** Names in bundlers/bundle.js. */
  readonly bundlers: readonly string[];
  /** Node, as a path in the project. Default: the Node that is on `PATH`. */
  readonly node?: string;
}

const BABEL = ["@babel/core@7", "@babel/runtime@7"];
const METRO = ["metro with exports", "metro without exports"];

const setups: Record<string, Setup> = {
  web: {
    packages: [
      "esbuild@0.28.2",
      "rollup@4",
      "@rollup/plugin-node-resolve@16",
      "@rollup/plugin-commonjs@29",
      "vite@8",
      "webpack@5",
    ],
    bundlers: ["esbuild", "rollup", "vite", "webpack"],
  },
  "react-native-0.73": {
    packages: ["metro@0.80", "@react-native/babel-preset@0.73", ...BABEL],
    bundlers: METRO,
  },
  "react-native": {
    packages: ["metro@latest", "@react-native/babel-preset@latest", ...BABEL]
      .concat("node24@npm:node@24"),
    bundlers: METRO,
    node: "node_modules/node24/bin/node",
  },
};

/** Bundlers that must drop what is not used, without a hint in a manifest. */
const SHAKING = new Set(["esbuild", "rollup"]);
/** Bundlers that make scripts. The others make modules. */
const SCRIPTS = new Set(["webpack", ...METRO]);

const PACKAGE = "@asyncbackoff/asyncbackoff";
/** A text that the core holds once: the name of the state that its copies share. */
const MARKER = `${PACKAGE}/realm/`;

let passed = 0;
let failed = 0;

/** Counts a check, and prints its name and its failure. */
async function check(name: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
    passed += 1;
    console.log(`${name}: ok`);
  } catch (error) {
    failed += 1;
    console.error(`${name}: FAILED\n${error instanceof Error ? error.message : error}`);
  }
}

/** Bundles a program, and returns the bundle's path and text. */
async function bundle(
  project: Project,
  { node }: Setup,
  bundler: string,
  program: string,
): Promise<{ file: string; text: string }> {
  const name = `${bundler}/${program}`.replace(/\.js$/, "").replace(/\W+/g, "-");
  const file = `out/${name}.${SCRIPTS.has(bundler) ? "cjs" : "mjs"}`;
  const command = node === undefined ? "node" : `${project.folder}/${node}`;
  await project.run(command, ["bundle.js", bundler, program, file]);
  return { file, text: await Deno.readTextFile(`${project.folder}/${file}`) };
}

async function assertRetries(
  project: Project,
  setup: Setup,
  bundler: string,
  format: Format,
): Promise<void> {
  const { file, text } = await bundle(project, setup, bundler, `${format}/program.js`);
  const copies = text.split(MARKER).length - 1;
  if (copies !== 1) throw new Error(`The bundle must hold one core, got ${copies}`);
  if (text.includes("async_hooks")) {
    throw new Error("The bundle must not mention 'node:async_hooks', got it in the bundle");
  }
  if (METRO.includes(bundler) && !text.includes("classPrivateField")) {
    throw new Error("React Native's Babel preset must have compiled private fields");
  }
  const printed = await project.run("node", [file]);
  if (printed.trim() !== EXPECTED) {
    throw new Error(`The bundle must print ${EXPECTED}, got ${printed}`);
  }
}

async function assertBundlesToNothing(
  project: Project,
  setup: Setup,
  bundler: string,
  entry: string,
): Promise<void> {
  const program = `esm/only-${entry.replace(/\W+/g, "-")}.js`;
  await Deno.writeTextFile(`${project.folder}/${program}`, `import "${entry}";\n`);
  const { text } = await bundle(project, setup, bundler, program);
  // A bundler keeps the import of a module that it cannot look into.
  const rest = entry.endsWith("/context")
    ? text.replace(/^import ?(\{[^}]*\} ?from ?)?["']node:async_hooks["'];$/m, "")
    : text;
  if (rest.trim() !== "") throw new Error(`The bundle must be empty, got:\n${text}`);
}

/** The names of the entry points. */
async function findEntries({ folder }: Project): Promise<string[]> {
  const path = `${folder}/node_modules/${PACKAGE}/package.json`;
  const { exports } = JSON.parse(await Deno.readTextFile(path));
  return Object.keys(exports).filter((name) => name !== "./package.json")
    .map((name) => name.replace(/^\./, PACKAGE));
}

/** Removes the hint `sideEffects` from each manifest of the installed package. */
async function removeSideEffects({ folder }: Project): Promise<void> {
  for (const format of ["", "dist/esm/", "dist/cjs/"]) {
    const path = `${folder}/node_modules/${PACKAGE}/${format}package.json`;
    const { sideEffects, ...rest } = JSON.parse(await Deno.readTextFile(path));
    if (sideEffects !== false) {
      throw new Error(`Cannot remove 'sideEffects': it must be in ${path}`);
    }
    await Deno.writeTextFile(path, JSON.stringify(rest));
  }
}

async function prepare(project: Project): Promise<void> {
  const script = pathOf("tests/runtimes/bundlers/bundle.js");
  await Deno.copyFile(script, `${project.folder}/bundle.js`);
  await Deno.mkdir(`${project.folder}/out`);
  const babel = { presets: ["module:@react-native/babel-preset"] };
  await Deno.writeTextFile(`${project.folder}/babel.config.json`, JSON.stringify(babel));
  await writePrograms(project.folder);
}

async function checkSetup(name: string, setup: Setup): Promise<void> {
  await using project = await makeProject(...setup.packages);
  await prepare(project);
  for (const bundler of setup.bundlers) {
    for (const format of FORMATS) {
      const act = () => assertRetries(project, setup, bundler, format);
      await check(`${name}, ${bundler}, ${format}: one core, which retries`, act);
    }
  }
  const shaking = setup.bundlers.filter((bundler) => SHAKING.has(bundler));
  await removeSideEffects(project);
  for (const bundler of shaking) {
    for (const entry of await findEntries(project)) {
      const act = () => assertBundlesToNothing(project, setup, bundler, entry);
      await check(`${name}, ${bundler}, ${entry}: nothing, without 'sideEffects'`, act);
    }
  }
}

const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(setups);
for (const name of wanted) {
  const setup = setups[name];
  if (setup === undefined) {
    const names = Object.keys(setups).join(", ");
    throw new Error(`Cannot bundle: the setup must be one of ${names}, got ${name}`);
  }
  await checkSetup(name, setup);
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) Deno.exit(1);
