// Runs the examples for readers in Node, as they are, on the installed npm package: each
// ```js block of README.md and docs/ is a file of its own. A block that calls `require`
// is CommonJS, any other is an ES module. Fails if a block exits with an error, runs too long,
// or prints something other than the ```text block that follows it, and if there is none. The
// arguments are pages; all of them if none is named.

import { makeProject } from "../support/project.ts";

/** An example of a page. */
interface Block {
  /** Such as `docs/pauses.md:12`: the line on which its code begins. */
  readonly name: string;
  readonly code: string;
  /** The text that the block prints, according to the page; `null` if the page does not say. */
  readonly printed: string | null;
}

const root = new URL("../../", import.meta.url);
/** The longest time that a block may run, in ms. */
const MAX_MS = 30_000;

/** The paths of all pages. */
async function findPages(): Promise<string[]> {
  const pages: string[] = [];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  return ["README.md", ...pages.sort()];
}

/**
 * Finds the ```js blocks of a page. Blocks that say `ignore` are included: the word keeps
 * `deno test --doc` from CommonJS, and from programs that leave a timer behind.
 */
function blocksOf(page: string, text: string): Block[] {
  const fences = text.matchAll(
    /^```js(?: ignore)?\n([^]*?)^```$(?:\n\n```text\n([^]*?)^```$)?/gm,
  );
  return Array.from(fences, (fence) => {
    const line = text.slice(0, fence.index).split("\n").length + 1;
    return { name: `${page}:${line}`, code: fence[1] ?? "", printed: fence[2] ?? null };
  });
}

const pages = Deno.args.length > 0 ? Deno.args : await findPages();
const blocks: Block[] = [];
for (const page of pages) {
  blocks.push(...blocksOf(page, await Deno.readTextFile(new URL(page, root))));
}
if (blocks.length === 0) {
  throw new Error(`Cannot run examples: ${pages.join(", ")} must have at least one`);
}

/** Packages that the examples need besides the library. */
await using project = await makeProject("@opentelemetry/api@1");

/** Runs a block in Node. */
async function run({ name, code, printed }: Block): Promise<void> {
  const extension = /\brequire\(/.test(code) ? "cjs" : "mjs";
  const file = `${name.replace(/\W+/g, "_")}.${extension}`;
  await Deno.writeTextFile(`${project.folder}/${file}`, code);
  const signal = AbortSignal.timeout(MAX_MS);
  const { code: exitCode, stdout, stderr } = await new Deno.Command("node", {
    args: [file],
    cwd: project.folder,
    stdin: "null",
    signal,
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (exitCode === 0 && (printed === null || printed === text)) return;
  const end = signal.aborted ? `took longer than ${MAX_MS} ms` : `exited with ${exitCode}`;
  throw new Error(`${name} ${end}:\n${text}${errors}`);
}

const failures: unknown[] = [];
for (const block of blocks) {
  const beganAt = performance.now();
  try {
    await run(block);
    console.log(`${block.name}: ${Math.round(performance.now() - beganAt)} ms`);
  } catch (error) {
    failures.push(error);
    console.error(`${error}`);
  }
}
console.log(`${blocks.length - failures.length} passed, ${failures.length} failed`);
if (failures.length > 0) throw new Error(`${failures.length} examples must not fail`);
