// Prints how large the parts of the npm package are in a bundle, minified by esbuild and
// compressed by gzip at level 9, and what each module of the sources adds to `asyncbackoff`.
// Fails if a part is larger than is allowed, or if it is larger where no manifest says that
// the package has no side effects. Sizes are bytes; a KB is 1000 of them.

import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import * as esbuild from "npm:esbuild@0.28.2";
import { pathOf, root, run } from "./package.ts";

/** A part that a program may import alone, and limits on its size when compressed. */
interface Part {
  readonly name: string;
  /** The entry point, such as `/pauses`; `""` for the main one. */
  readonly entry: string;
  /** The size to reach. */
  readonly goal: number;
  /** The size that is allowed now. Lower it whenever the part gets smaller. */
  readonly allowed: number;
}

const PARTS: readonly Part[] = [
  { name: "asyncbackoff", entry: "", goal: 10_200, allowed: 14_300 },
  { name: "exponential", entry: "", goal: 1300, allowed: 1600 },
  { name: "exponential", entry: "/pauses", goal: 1300, allowed: 1600 },
  { name: "RetryBudget", entry: "/budget", goal: 1300, allowed: 1300 },
  { name: "TestClock", entry: "/testing", goal: 1800, allowed: 2600 },
  { name: "retryAfter", entry: "/http", goal: 1100, allowed: 1300 },
  { name: "isNetworkError", entry: "/http", goal: 1000, allowed: 1000 },
  { name: "fetchWith", entry: "/http", goal: 10_500, allowed: 19_600 },
  { name: "stream", entry: "/stream", goal: 13_000, allowed: 16_000 },
  { name: "Timeline", entry: "/timeline", goal: 4800, allowed: 5700 },
];

/** The bytes by which a part may differ if no manifest says that there are no side effects. */
const TOLERANCE = 16;

const PACKAGE = "@asyncbackoff/asyncbackoff";

/** The size of a part. */
interface Size {
  readonly minified: number;
  readonly gzipped: number;
}

const shared = {
  bundle: true,
  minify: true,
  format: "esm",
  write: false,
  metafile: true,
  logLevel: "error",
} as const satisfies esbuild.BuildOptions;

/** Bundles a program that exports a name of a module, and returns what esbuild says of it. */
function bundle(name: string, module: string, resolveDir: string) {
  const contents = `export { ${name} } from "${module}";`;
  const stdin = { contents, resolveDir, loader: "js" } as const;
  return esbuild.build({ ...shared, absWorkingDir: resolveDir, stdin });
}

async function sizeOf({ name, entry }: Part, folder: string): Promise<Size> {
  const { outputFiles } = await bundle(name, `${PACKAGE}${entry}`, folder);
  const bytes = Buffer.from(outputFiles[0]?.contents ?? []);
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
}

/** Packs the package, and unpacks it into a folder, as if it were installed there. */
async function install(folder: string): Promise<string> {
  const script = pathOf("tools/package.ts");
  const args = ["run", "-q", "-A", script, "--once"];
  const printed = await run(Deno.execPath(), args, { cwd: root });
  const tarball = /^.+\.tgz$/m.exec(printed)?.[0];
  if (tarball === undefined) {
    throw new Error(`Cannot measure: tools/package.ts must print a path, got ${printed}`);
  }
  const installed = `${folder}/node_modules/${PACKAGE}`;
  await Deno.mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  return installed;
}

/** Removes the hint `sideEffects` from each manifest of the package. */
async function removeSideEffects(installed: string): Promise<void> {
  for (const folder of ["", "dist/esm/", "dist/cjs/"]) {
    const path = `${installed}/${folder}package.json`;
    const { sideEffects, ...rest } = JSON.parse(await Deno.readTextFile(path));
    if (sideEffects !== false) {
      throw new Error(`Cannot measure: 'sideEffects' must be false in ${path}`);
    }
    await Deno.writeTextFile(path, JSON.stringify(rest));
  }
}

const columns = (cells: readonly (string | number)[]) => {
  const [first = "", ...others] = cells.map(String);
  return first.padEnd(34) + others.map((cell) => cell.padStart(12)).join("");
};

/** Prints and checks the size of each part. Returns a message for each that is wrong. */
async function checkParts(folder: string): Promise<string[]> {
  const installed = await install(folder);
  const sizes: Size[] = [];
  for (const part of PARTS) sizes.push(await sizeOf(part, folder));
  await removeSideEffects(installed);
  const messages: string[] = [];
  console.log(columns(["part", "minified", "gzipped", "goal", "allowed", "no hint"]));
  for (const [index, part] of PARTS.entries()) {
    const { minified, gzipped } = sizes[index] as Size;
    const withoutHint = (await sizeOf(part, folder)).gzipped;
    const name = `${part.name} of .${part.entry}`;
    const { goal, allowed } = part;
    console.log(columns([name, minified, gzipped, goal, allowed, withoutHint]));
    if (gzipped > allowed) {
      messages.push(`${name} must have at most ${allowed} bytes, got ${gzipped}`);
    }
    if (Math.abs(withoutHint - gzipped) > TOLERANCE) {
      messages.push(
        `${name} must be as large without 'sideEffects', got ${withoutHint} bytes`,
      );
    }
  }
  return messages;
}

/** Prints how many bytes each module of the sources adds, minified. */
async function printModules(): Promise<void> {
  const folder = pathOf("").replace(/\/$/, "");
  const { metafile } = await bundle("asyncbackoff", "./mod.ts", folder);
  const [output] = Object.values(metafile.outputs);
  if (output === undefined) throw new Error("Cannot measure: esbuild must make a file");
  const modules = Object.entries(output.inputs)
    .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
    .filter(([, bytes]) => bytes > 0)
    .sort(([, one], [, other]) => other - one);
  console.log(`\n${columns(["module, in `asyncbackoff`", "minified", "part"])}`);
  for (const [path, bytes] of modules) {
    const part = `${(100 * bytes / output.bytes).toFixed(1)} %`;
    console.log(columns([path, bytes, part]));
  }
  console.log(columns(["all", output.bytes, "100.0 %"]));
}

const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
try {
  const messages = await checkParts(folder);
  await printModules();
  if (messages.length > 0) throw new Error(messages.join("\n"));
} finally {
  await esbuild.stop();
  await Deno.remove(folder, { recursive: true });
}
