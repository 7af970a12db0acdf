// What the repository's pages and workflows name must exist.

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));
const WORKFLOWS = ["ci", "deep", "publish"].map((name) => `.github/workflows/${name}.yml`);

/** What a test may be called: in a template, anything may stand in a place. */
function namesIn(text: string): RegExp[] {
  return [...text.matchAll(/Deno\.test\(\s*(?:"([^"]*)"|`([^`]*)`)/g)].map(
    ([, plain, template]) => {
      const parts = plain !== undefined ? [plain] : template?.split(/\$\{[^}]*\}/) ?? [];
      return new RegExp(`^${parts.map(RegExp.escape).join(".+")}$`);
    },
  );
}

Deno.test("tests/README.md names a test in each row, and each of them exists", async () => {
  const page = await read("tests/README.md");
  const rows = page.split("\n").filter((line) => /^\|.*"/.test(line));
  assert(rows.length >= 48, `there are ${rows.length} rows`);
  for (const row of rows) {
    const cited = [...row.matchAll(/\((\w+_test\.ts)\): ((?:"[^"]+"(?:, )?)+)/g)];
    assert(cited.length > 0, row);
    for (const [, file, quoted] of cited) {
      const names = namesIn(await read(`tests/${file}`));
      for (const [, name = ""] of quoted?.matchAll(/"([^"]+)"/g) ?? []) {
        assert(names.some((pattern) => pattern.test(name)), `${file} has no "${name}"`);
      }
    }
  }
});

Deno.test("Each task that a page, a workflow or .ci/run names exists", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const paths = [
    "README.md",
    "CONTRIBUTING.md",
    "bench/README.md",
    ".ci/run",
    ...WORKFLOWS,
  ];
  const named = new Set<string>();
  for (const path of paths) {
    const text = await read(path);
    for (const [, name = ""] of text.matchAll(/deno task ([a-z:]+)/g)) named.add(name);
    // A matrix of tasks.
    const listed = /task: \[([^\]]*)\]/.exec(text)?.[1] ?? "";
    for (const each of listed.split(",")) {
      const [name = ""] = each.trim().split(" ");
      if (name !== "") named.add(name);
    }
  }
  assert(named.has("test") && named.has("ok"));
  assertEquals([...named].filter((name) => !(name in tasks)), []);
});
