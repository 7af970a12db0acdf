// The sentences of sources, pages and tasks: words that make a reader read twice.

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

const FOLDERS = ["src", "docs", "tests", "examples", "bench", "tools"];
const FILES = ["mod.ts", "deno.json", "README.md", "CONTRIBUTING.md", "SECURITY.md"];
/** This file names the words, and cannot be one of those that must not. */
const SELF = "tests/repository/sentences_test.ts";

const PHRASES =
  /\b(comes? to|goe?s? out|lets? out|is told|are told|all the same|by chance|in earnest|comes? round)\b/gi;
const BEGINNINGS = /\/\*\*\s*(?:\*\s*)?(?:What|Who|How|So|As)\b[^\n]*/g;

/** The paths of all files with sentences. */
async function findFiles(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await findFiles(path));
    else if (/\.(ts|mts|js|mjs|md)$/.test(name) && path !== SELF) paths.push(path);
  }
  return paths;
}

/** The phrases and beginnings in a text that must not be there. */
function findProblems(text: string): string[] {
  return [PHRASES, BEGINNINGS].flatMap((each) => text.match(each) ?? []);
}

Deno.test("Sentences have none of the phrases that must be read twice, and docs begin with a noun or a verb", async () => {
  const paths = [...FILES, ...(await Promise.all(FOLDERS.map(findFiles))).flat()];
  assert(paths.length > 200, `there are ${paths.length} files`);
  const problems: string[] = [];
  for (const path of paths) {
    const text = await Deno.readTextFile(new URL(path, root));
    problems.push(...findProblems(text).map((each) => `${path}: ${each}`));
  }
  assertEquals(problems, []);
});

Deno.test("Sentences with such phrases are noticed", () => {
  const texts = [
    "What it comes to",
    "an error goes out",
    "it is told all the same",
    "/** What is executed. */",
    "/**\n   * So many",
    "/** Whether it ends. */",
    "let outcome = 1;",
  ];
  assertEquals(texts.map((text) => findProblems(text).length), [1, 1, 2, 1, 1, 0, 0]);
});
