// Names and links in the pages and workflows of the repository lead to something that exists.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

const VERIFICATION = "docs/verification.md";
const WORKFLOWS = ["ci", "deep", "pages", "publish"].map((name) =>
  `.github/workflows/${name}.yml`
);

/** The pages about the sources. */
const NOT_FOR_USERS = ["design", "how_to_add", "verification"].map((name) =>
  `docs/${name}.md`
);

/** The pages for readers of the repository, as paths from its root. */
async function findPages(): Promise<string[]> {
  const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  return pages;
}

/** Patterns of the names of the tests in a file. `${…}` in a template matches any text. */
function testNamesIn(text: string): RegExp[] {
  return [...text.matchAll(/Deno\.test\(\s*(?:"([^"]*)"|`([^`]*)`)/g)].map(
    ([, plain, template]) => {
      const parts = plain !== undefined ? [plain] : template?.split(/\$\{[^}]*\}/) ?? [];
      return new RegExp(`^${parts.map(RegExp.escape).join(".+")}$`);
    },
  );
}

/** The targets of the links in a page that are relative, in text and not in code. */
function relativeLinksIn(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  const inline = prose.matchAll(/\]\(\s*<?([^\s<>()]+)/g);
  const references = prose.matchAll(/^\[[^\]]+\]:\s*<?([^\s<>]+)/gm);
  return [...inline, ...references].map(([, target = ""]) => target)
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** The anchors of the headings in a page, as GitHub makes them. */
function anchorsIn(text: string): string[] {
  const headings = text.replace(/^```[^]*?^```/gm, "").matchAll(/^#{1,6} +(.+)$/gm);
  const counts = new Map<string, number>();
  return Array.from(headings, ([, heading = ""]) => {
    const words = heading.trim().replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    const before = counts.get(anchor) ?? 0;
    counts.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** Explains why a link in a page leads nowhere; `null` if it leads somewhere. */
async function problemOf(page: string, link: string): Promise<string | null> {
  const { href, hash } = new URL(link, new URL(page, root));
  const target = new URL(href.slice(0, href.length - hash.length));
  const exists = await Deno.stat(target).then(() => true, () => false);
  if (!exists) return `${page}: ${link} does not exist`;
  if (hash === "" || !target.pathname.endsWith(".md")) return null;
  const anchors = anchorsIn(await Deno.readTextFile(target));
  const isKnown = anchors.includes(decodeURIComponent(hash.slice(1)));
  return isKnown ? null : `${page}: ${link} names no heading`;
}

Deno.test("docs/verification.md cites tests in each row, and each of them exists", async () => {
  const page = await read(VERIFICATION);
  const rows = page.split("\n").filter((line) => /^\|.*"/.test(line));
  assert(rows.length >= 48, `there are ${rows.length} rows`);
  for (const row of rows) {
    const cited = [...row.matchAll(/\]\(([^()]+_test\.ts)\): ((?:"[^"]+"(?:, )?)+)/g)];
    assert(cited.length > 0, row);
    let count = 0;
    for (const [, file = "", quoted = ""] of cited) {
      const patterns = testNamesIn(
        await Deno.readTextFile(new URL(file, new URL(VERIFICATION, root))),
      );
      for (const [, name = ""] of quoted.matchAll(/"([^"]+)"/g)) {
        assert(patterns.some((each) => each.test(name)), `${file} has no test "${name}"`);
        count += 1;
      }
    }
    assertEquals(row.split('"').length - 1, 2 * count, `a name without a file: ${row}`);
  }
});

Deno.test("Pages, workflows and .ci/run name only tasks that exist", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const named = new Set<string>();
  for (const path of [...await findPages(), ".ci/run", ...WORKFLOWS]) {
    const text = await read(path);
    for (const [, name = ""] of text.matchAll(/deno task ([a-z:]+)/g)) named.add(name);
    // The tasks of a matrix.
    const listed = /task: \[([^\]]*)\]/.exec(text)?.[1] ?? "";
    for (const each of listed.split(",")) {
      const [name = ""] = each.trim().split(" ");
      if (name !== "") named.add(name);
    }
  }
  assert(named.has("test") && named.has("ok"));
  assertEquals([...named].filter((name) => !(name in tasks)), []);
});

Deno.test("Pages link only to files and headings that exist", async () => {
  const links = (await Promise.all((await findPages()).map(async (page) => {
    const targets = relativeLinksIn(await read(page));
    return targets.map((link) => ({ page, link }));
  }))).flat();
  assert(links.length > 50, `there are ${links.length} links`);
  const problems = await Promise.all(links.map(({ page, link }) => problemOf(page, link)));
  assertEquals(problems.filter((each) => each !== null), []);
});

Deno.test("Pages for users say when not to use their subject, and what to do instead", async () => {
  const all = (await findPages()).filter((page) => page.startsWith("docs/"));
  const forUsers = all.filter((page) => !NOT_FOR_USERS.includes(page));
  assert(forUsers.length >= 9, `there are ${forUsers.length} pages`);
  for (const page of forUsers) {
    const text = await read(page);
    for (const heading of ["## When not", "## What you may look for"]) {
      assert(text.includes(`\n${heading}`), `${page} has no heading "${heading}"`);
    }
  }
});

Deno.test("README.md has at most 160 lines", async () => {
  assertLessOrEqual((await read("README.md")).trimEnd().split("\n").length, 160);
});

Deno.test("Pages with a wrong link are noticed", async () => {
  const page =
    "# A page\n[a](b.md) [c](https://d.example/) `[e](f.md)` ![g](h.svg)\n\n[i]: j#k";
  assertEquals(relativeLinksIn(page), ["b.md", "h.svg", "j#k"]);
  assertEquals(anchorsIn("# A\n## `b()`: c, d\n## A\n```sh\n# e\n```\n"), [
    "a",
    "b-c-d",
    "a-1",
  ]);
  const links = ["LICENSE", "docs", "#security", "missing.md", "#missing"];
  assertEquals(await Promise.all(links.map((link) => problemOf("SECURITY.md", link))), [
    null,
    null,
    null,
    "SECURITY.md: missing.md does not exist",
    "SECURITY.md: #missing names no heading",
  ]);
});
