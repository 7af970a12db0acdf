// Runs the test suites of other libraries, at pinned versions, with this package in the place
// of the library. An adapter of suites/ gives it the library's API. Each suite runs twice: on
// the library itself, where every test must pass, and on the adapter, where exactly the tests
// of suites/differences.ts must fail.
//
// The arguments name libraries; all of them run if none is named. The suites are downloaded
// from GitHub, or taken from a folder by `--from=DIR`: DIR/p-retry is a checkout of p-retry.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeProject, type Project } from "../support/project.ts";
import { run } from "../support/run.ts";
import { differences, races } from "./suites/differences.ts";

/** The suite of a library. */
interface Suite {
  readonly version: string;
  /** The repository on GitHub, and the commit. */
  readonly repository: string;
  readonly commit: string;
  /** Packages that the tests need besides the library. */
  readonly packages: readonly string[];
  /** Writes the files that the tests load, on the library itself or on the adapter. */
  prepare(folders: Folders, isAdapted: boolean): Promise<void>;
  /** The arguments of Node that run the tests. */
  readonly command: readonly string[];
}

/** Where a suite runs, where its sources are, and where the packages are. */
interface Folders {
  readonly suite: string;
  readonly sources: string;
  readonly packages: string;
}

/** The results of a suite, by the titles of its tests: whether each has passed. */
type Results = ReadonlyMap<string, boolean>;

/** The maximum number of runs of a suite. */
const MAX_RUNS = 3;

const adapters = new URL("suites/", import.meta.url);
const ava = ["../node_modules/ava/entrypoints/cli.mjs", "--tap", "--timeout=60s"];

/** The suite of a module that the tests load as index.js. */
async function prepareModule(
  { suite, sources }: Folders,
  name: string,
  isAdapted: boolean,
) {
  await Deno.copyFile(`${sources}/test.js`, `${suite}/test.js`);
  if (isAdapted) await Deno.copyFile(new URL(`${name}.js`, adapters), `${suite}/index.js`);
  else {
    const code = `export * from "${name}";\nexport { default } from "${name}";\n`;
    await Deno.writeTextFile(`${suite}/index.js`, code);
  }
  await Deno.writeTextFile(`${suite}/package.json`, `{"type":"module"}`);
}

const suites: Readonly<Record<string, Suite>> = {
  "p-retry": {
    version: "7.0.0",
    repository: "sindresorhus/p-retry",
    commit: "e11ca9c9c4a8032182403871593a67a49e948568",
    packages: ["ava@6", "delay@6", "execa@9", "is-network-error@1"],
    prepare: (folders, isAdapted) => prepareModule(folders, "p-retry", isAdapted),
    command: ava,
  },
  "p-timeout": {
    version: "7.0.0",
    repository: "sindresorhus/p-timeout",
    commit: "f9ced5e18ad81eab24a9a8d0f07bf3002f7bea64",
    packages: [
      "ava@6",
      "delay@6",
      "in-range@3",
      "p-cancelable@4",
      "sinon@21",
      "time-span@5",
    ],
    prepare: (folders, isAdapted) => prepareModule(folders, "p-timeout", isAdapted),
    command: ava,
  },
  "async-retry": {
    version: "1.3.3",
    repository: "vercel/async-retry",
    commit: "9505be1f829ea297e7aff6c731ca3d5bd7052ed7",
    packages: ["ava@6", "then-sleep@1"],
    prepare: prepareAsyncRetry,
    command: [...ava, "test/index.js"],
  },
  "cockatiel": {
    version: "4.0.0",
    repository: "connor4312/cockatiel",
    commit: "f475a690eedbb9dc7e495b6e4b0f42105c195ec3",
    packages: [
      "chai@6",
      "chai-as-promised@8",
      "mocha@11",
      "sinon@21",
      "sinon-chai@4",
    ],
    prepare: prepareCockatiel,
    command: [
      "../node_modules/mocha/bin/mocha.js",
      "--timeout=10000",
      "--reporter=tap",
      "dist/**/*.test.js",
    ],
  },
};

/** The network that the tests ask for is a stand-in: one host exists, and no other. */
async function prepareAsyncRetry({ suite, sources }: Folders, isAdapted: boolean) {
  await Deno.mkdir(`${suite}/test`);
  await Deno.mkdir(`${suite}/lib`);
  await Deno.mkdir(`${suite}/node_modules/node-fetch`, { recursive: true });
  await Deno.copyFile(`${sources}/test/index.js`, `${suite}/test/index.js`);
  if (isAdapted) {
    await Deno.copyFile(new URL("async-retry.js", adapters), `${suite}/lib/index.js`);
  } else {
    const code = `module.exports = require("async-retry");\n`;
    await Deno.writeTextFile(`${suite}/lib/index.js`, code);
  }
  await Deno.writeTextFile(
    `${suite}/node_modules/node-fetch/index.js`,
    `module.exports = async (url) => {
      if (new URL(url).host === "www.wikipedia.org") return { status: 200 };
      throw new Error("no such host");
    };\n`,
  );
  await Deno.writeTextFile(`${suite}/package.json`, `{"type":"commonjs"}`);
}

/** The suites of what the adapter replaces, among the modules of the package on npm. */
async function prepareCockatiel(
  { suite, sources, packages }: Folders,
  isAdapted: boolean,
) {
  await run("cp", ["-r", `${packages}/cockatiel/dist`, `${suite}/dist`]);
  await Deno.writeTextFile(`${suite}/package.json`, `{"type":"module"}`);
  const tests = [
    "RetryPolicy.test",
    "TimeoutPolicy.test",
    "Policy.test",
    "backoff/Backoff.test",
    "backoff/ExponentialBackoff.test",
    "common/util.test",
  ];
  await esbuild.build({
    entryPoints: tests.map((name) => `${sources}/src/${name}.ts`),
    outbase: `${sources}/src`,
    outdir: `${suite}/dist`,
    format: "esm",
    target: "node20",
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    logLevel: "error",
  });
  if (!isAdapted) return;
  await Deno.copyFile(new URL("cockatiel.js", adapters), `${suite}/dist/adapter.js`);
  const replaced = {
    "RetryPolicy.js": `export { RetryPolicy } from "./adapter.js";\n`,
    "TimeoutPolicy.js": `export { TimeoutPolicy, TimeoutStrategy } from "./adapter.js";\n`,
    "backoff/ExponentialBackoff.js":
      `export { ExponentialBackoff } from "../adapter.js";\n`,
  };
  for (const [file, code] of Object.entries(replaced)) {
    await Deno.writeTextFile(`${suite}/dist/${file}`, code);
  }
}

/** Puts the sources of a suite into a folder, and returns its path. */
async function findSources(name: string, project: Project): Promise<string> {
  const from = Deno.args.find((each) => each.startsWith("--from="))?.slice(
    "--from=".length,
  );
  if (from !== undefined) return `${from}/${name}`;
  const { repository, commit } = suites[name]!;
  const url = `https://codeload.github.com/${repository}/tar.gz/${commit}`;
  const archive = `${project.folder}/${name}.tar.gz`;
  const folder = `${project.folder}/${name}-sources`;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the answer is ${response.status}`);
    await Deno.writeFile(archive, new Uint8Array(await response.arrayBuffer()));
  } catch (cause) {
    throw new Error(
      `Cannot run the suite of ${name}: ${url} is out of reach. With a checkout of ` +
        `${repository} at ${commit} in DIR/${name}, use --from=DIR`,
      { cause },
    );
  }
  await Deno.mkdir(folder);
  await run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1"]);
  return folder;
}

/** Runs a suite, and reads its results in the format of TAP. */
async function play(
  name: string,
  sources: string,
  { folder }: Project,
  isAdapted: boolean,
) {
  const suite = await Deno.makeTempDir({ dir: folder, prefix: `${name}-` });
  const folders = { suite, sources, packages: `${folder}/node_modules` };
  await suites[name]!.prepare(folders, isAdapted);
  const { stdout, stderr } = await new Deno.Command("node", {
    args: [...suites[name]!.command],
    cwd: suite,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const results = new Map<string, boolean>();
  for (const [, not, title = ""] of text.matchAll(/^(not )?ok \d+ (?:- )?(.+)$/gm)) {
    if (!races.includes(title)) results.set(title, not === undefined);
  }
  if (Deno.args.includes("--verbose")) console.log(text);
  if (results.size === 0) {
    throw new Error(
      `Cannot run the suite of ${name}: it has no results.\n${text}\n` +
        new TextDecoder().decode(stderr),
    );
  }
  return results;
}

/**
 * Runs a suite until it has the results that are expected, at most `MAX_RUNS` times: some
 * tests compare durations of a few milliseconds, and fail on a busy machine.
 */
async function playUntil(
  isExpected: (results: Results) => boolean,
  name: string,
  sources: string,
  project: Project,
  isAdapted: boolean,
): Promise<Results> {
  let results = await play(name, sources, project, isAdapted);
  for (let count = 1; count < MAX_RUNS && !isExpected(results); count++) {
    const again = await play(name, sources, project, isAdapted);
    // A test has passed if it passes once.
    results = new Map([...again, ...[...results].filter(([, passed]) => passed)]);
  }
  return results;
}

/** Runs a suite on the library and on the adapter, and returns what is wrong. */
async function compare(name: string, project: Project): Promise<string[]> {
  const sources = await findSources(name, project);
  const expected = new Map(
    Object.entries(differences[name] ?? {}).flatMap(([reason, titles]) =>
      titles.map((title) => [title, reason] as const)
    ),
  );
  const wrongItself = (results: Results) =>
    [...results].filter(([, passed]) => !passed)
      .map(([title]) => `${name} itself fails: ${title}`);
  const itself = await playUntil(
    (results) => wrongItself(results).length === 0,
    name,
    sources,
    project,
    false,
  );
  const wrongHere = (results: Results) =>
    [...itself.keys()].flatMap((title) => {
      const passed = results.get(title);
      if (passed === undefined) return [`${name}: no result of: ${title}`];
      if (passed !== expected.has(title)) return [];
      return [`${name}: ${passed ? "no longer differs" : "fails here"}: ${title}`];
    });
  const here = await playUntil(
    (results) => wrongHere(results).length === 0,
    name,
    sources,
    project,
    true,
  );
  const passed = [...itself.keys()].filter((title) => here.get(title)).length;
  const { version } = suites[name]!;
  console.log(
    `${name} ${version}: ${passed} of ${itself.size} tests pass, ${expected.size} differ on purpose`,
  );
  for (const [title, reason] of expected) console.log(`  ${title}: ${reason}`);
  const missing = [...expected.keys()].filter((title) => !itself.has(title))
    .map((title) => `${name}: has no test: ${title}`);
  return [...wrongItself(itself), ...wrongHere(here), ...missing];
}

const named = Deno.args.filter((each) => !each.startsWith("--"));
const names = named.length > 0 ? named : Object.keys(suites);
for (const name of names) {
  if (suites[name] === undefined) {
    throw new Error(
      `Cannot run the suite of ${name}: it must be one of ${
        Object.keys(suites).join(", ")
      }`,
    );
  }
}
await using project = await makeProject(
  ...new Set(
    names.flatMap((name) => [
      `${name}@${suites[name]!.version}`,
      ...suites[name]!.packages,
    ]),
  ),
);
const wrong: string[] = [];
for (const name of names) wrong.push(...await compare(name, project));
await esbuild.stop();
for (const each of wrong) console.log(each);
if (wrong.length > 0) Deno.exitCode = 1;
