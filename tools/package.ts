// Makes the npm package in npm/: the output of `deno pack`, with a manifest that is
// complete. Prints the path of the tarball and its digest. The same sources give the same
// bytes: it packs twice and compares, unless it is run with `--once`.

/** The repository. */
export const root: URL = new URL("../", import.meta.url);
const out = new URL("npm/", root);

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
    const raw = `${temporary}/raw.tgz`;
    await run(
      Deno.execPath(),
      ["pack", "--allow-dirty", "--no-source-maps", "--output", raw],
      { cwd: root },
    );
    await run("tar", ["-xzf", raw, "-C", temporary]);
    const folder = `${temporary}/package`;
    await complete(`${folder}/package.json`);
    await Deno.mkdir(out, { recursive: true });
    const destination = pathOf("npm/");
    const printed = await run("npm", [
      "pack",
      "--silent",
      "--pack-destination",
      destination,
    ], {
      cwd: folder,
    });
    return `${destination}${/\S+\.tgz/.exec(printed)?.[0]}`;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Completes the manifest with the fields that npm's users and tools look for. */
async function complete(path: string): Promise<void> {
  const { name, version, type, license, main, types, exports } = JSON.parse(
    await Deno.readTextFile(path),
  );
  const manifest = {
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
    type,
    main,
    types,
    exports: { ...exports, "./package.json": "./package.json" },
    sideEffects: false,
    engines: { node: ">=20.3.0" },
    files: ["mod.js", "mod.d.ts", "src", "CHANGELOG.md"],
  };
  await Deno.writeTextFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
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
