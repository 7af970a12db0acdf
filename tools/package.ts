// Makes the npm package in npm/: both builds of tools/build.ts, with the declarations of
// `deno pack`. Prints the path of the tarball and its digest. The same sources give the same
// bytes: it packs twice and compares, unless it is run with `--once`. With `--to=DIR`, the
// tarball is put into that folder.
//
// ```text
// dist/esm/  core.js, index.js, pauses.js …, types/   for `import`
// dist/cjs/  the same                                 for `require`
// pauses.js, pauses.d.ts …                            for TypeScript's `moduleResolution: node10`
// ```
//
// A folder's package.json gives the format of its files, and of the declarations in it, so both
// folders hold the same declarations.

import { build, entriesOf, type Entry } from "./build.ts";

/** The repository. */
export const root: URL = new URL("../", import.meta.url);
const out = Deno.args.find((each) => each.startsWith("--to="))?.slice("--to=".length) ??
  pathOf("npm");

/** The path of a file of the repository. */
export function pathOf(name: string): string {
  return decodeURIComponent(new URL(name, root).pathname);
}

/**
 * Runs a command.
 *
 * @returns The text that it printed.
 * @throws {Error} If it fails. The message has the text that it printed.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string | URL; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${text}\n${errors}`);
  return `${text}${errors}`;
}

/** Makes the tarball, and returns its path. */
async function pack(): Promise<string> {
  const temporary = await Deno.makeTempDir();
  try {
    const folder = `${temporary}/asyncbackoff`;
    const { exports, ...config } = JSON.parse(
      await Deno.readTextFile(new URL("deno.json", root)),
    );
    const entries = entriesOf(exports);
    await Deno.mkdir(folder);
    await build(pathOf("").replace(/\/$/, ""), entries, `${folder}/dist`);
    const raw = await declarations(temporary);
    for (const format of ["esm", "cjs"]) {
      await addDeclarations(raw, entries, `${folder}/dist/${format}`);
    }
    await addFilesForNode10(entries, folder);
    for (const name of ["README.md", "CHANGELOG.md", "LICENSE"]) {
      await Deno.copyFile(new URL(name, root), `${folder}/${name}`);
    }
    await write(`${folder}/package.json`, manifestOf(config, entries));
    await Deno.mkdir(out, { recursive: true });
    const args = ["pack", "--silent", "--pack-destination", out];
    const printed = await run("npm", args, { cwd: folder });
    return `${out}/${/\S+\.tgz/.exec(printed)?.[0]}`;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

const write = (path: string, value: unknown) =>
  Deno.writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`);

/** Has `deno pack` make the declarations, and returns the folder that holds them. */
async function declarations(temporary: string): Promise<string> {
  const tarball = `${temporary}/raw.tgz`;
  const args = ["pack", "--allow-dirty", "--no-source-maps", "--output", tarball];
  await run(Deno.execPath(), args, { cwd: root });
  await run("tar", ["-xzf", tarball, "-C", temporary]);
  return `${temporary}/package`;
}

async function addDeclarations(
  raw: string,
  entries: readonly Entry[],
  folder: string,
): Promise<void> {
  for (const path of await filesIn(raw)) {
    if (!path.endsWith(".d.ts")) continue;
    const target = `${folder}/types/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${raw}/${path}`, target);
  }
  for (const { file, source } of entries) {
    const path = source.replace(/\.ts$/, ".js");
    await Deno.writeTextFile(
      `${folder}/${file}.d.ts`,
      `export * from "./types/${path}";\n`,
    );
  }
}

async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    const path = prefix + name;
    if (isDirectory) files.push(...await filesIn(folder, `${path}/`));
    else files.push(path);
  }
  return files.sort();
}

/** Files at the root: `node10` does not know `exports`, and Metro would take folders for copies. */
async function addFilesForNode10(
  entries: readonly Entry[],
  folder: string,
): Promise<void> {
  for (const { name, file } of entries) {
    if (name === ".") continue;
    const path = `./dist/cjs/${file}`;
    await Deno.writeTextFile(
      `${folder}/${file}.js`,
      `module.exports = require("${path}.js");\n`,
    );
    await Deno.writeTextFile(`${folder}/${file}.d.ts`, `export * from "${path}";\n`);
  }
}

/** The manifest, with the fields that npm's users and tools look for. */
function manifestOf(
  config: { name: string; version: string; license: string },
  entries: readonly Entry[],
): Record<string, unknown> {
  const { name, version, license } = config;
  const target = (format: string, file: string) => ({
    types: `./dist/${format}/${file}.d.ts`,
    default: `./dist/${format}/${file}.js`,
  });
  const exports = entries.map(({ name, file }) =>
    [name, { import: target("esm", file), require: target("cjs", file) }] as const
  );
  const files = entries.filter(({ name }) => name !== ".")
    .flatMap(({ file }) => [`${file}.js`, `${file}.d.ts`]);
  return {
    name,
    version,
    description:
      "Retries an async function and guarantees when it ends: attempt timeout, deadline, " +
      "pauses, retry budgets, cancellation and a deterministic test clock; the asyncbackoff " +
      "and asyncretry of Python's aiomisc",
    keywords: ["retry", "backoff", "timeout", "deadline", "asyncbackoff", "asyncretry"]
      .concat("aiomisc", "abort", "cancellation", "decorator", "test-clock"),
    license,
    author: "the asyncbackoff authors",
    type: "commonjs",
    main: "./dist/cjs/index.js",
    module: "./dist/esm/index.js",
    types: "./dist/cjs/index.d.ts",
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    sideEffects: false,
    engines: { node: ">=20.3.0" },
    files: ["dist", ...files, "CHANGELOG.md"],
  };
}

async function digest(path: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

if (import.meta.main) {
  const path = await pack();
  const first = await digest(path);
  if (!Deno.args.includes("--once") && await digest(await pack()) !== first) {
    throw new Error("Cannot make the package: two runs on the same sources differ");
  }
  console.log(`${path}\nsha256 ${first}`);
}
