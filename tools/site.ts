// Builds a folder for any static host: the pages of the repository with working links, the
// playground, and the API reference. `deno run -A tools/site.ts [folder]`. With
// `--serve [port]`, it builds into a temporary folder, and serves it on the loopback interface.

import { pathOf, root, run } from "./package.ts";
import { buildPlayground, serve } from "./playground.ts";
import { escape, type Page, renderPage, upFrom } from "./site/page.ts";

/** The pages in the navigation, in their order. Other pages of docs/ follow. */
const FIRST = ["README.md", "docs/options.md", "docs/pauses.md", "docs/budgets.md"];

/** The path on the site of a file of the repository. */
function targetOf(path: string): string {
  if (path === "README.md") return "index.html";
  if (path === "playground" || path === "playground/") return "playground/index.html";
  if (/\.(svg|png)$/.test(path)) return path;
  if (path.endsWith(".md")) return path.replace(/\.md$/, ".html");
  return `${path.replace(/\/$/, "/index")}.html`;
}

async function findPages(): Promise<string[]> {
  const pages: string[] = [];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  return [...new Set([...FIRST, ...pages.sort()])];
}

/** The names of the pages, for the navigation. */
async function titlesOf(paths: readonly string[]): Promise<Map<string, string>> {
  const titles = new Map<string, string>();
  for (const path of paths) {
    const text = await Deno.readTextFile(new URL(path, root));
    titles.set(
      path,
      path === "README.md" ? "Overview" : /^# (.+)$/m.exec(text)?.[1] ?? path,
    );
  }
  return titles;
}

function layout(
  path: string,
  { title, html }: Pick<Page, "title" | "html">,
  titles: ReadonlyMap<string, string>,
): string {
  const up = upFrom(path);
  const link = (target: string, name: string, isCurrent: boolean) =>
    `<li><a href="${up}${target}"${isCurrent ? ' aria-current="page"' : ""}>${
      escape(name)
    }</a></li>`;
  const pages = Array.from(
    titles,
    ([each, name]) => link(targetOf(each), name, each === path),
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}${title === "asyncbackoff" ? "" : " · asyncbackoff"}</title>
<link rel="stylesheet" href="${up}site.css">
</head>
<body>
<nav aria-label="Pages">
<strong>asyncbackoff</strong>
<ul>
${link("playground/index.html", "Playground", false)}
${link("api/index.html", "API reference", false)}
</ul>
<ul>
${pages.join("\n")}
</ul>
</nav>
<main>
${html}
</main>
</body>
</html>
`;
}

/** Builds every page, and every file that a page links to. */
async function buildPages(out: string): Promise<number> {
  const pages = await findPages();
  const titles = await titlesOf(pages);
  const queue = [...pages];
  const known = new Set(queue);
  for (const path of queue) { // grows on the way
    const page = await buildFile(path, out, titles);
    for (const link of page.links) {
      if (known.has(link) || targetOf(link) === "playground/index.html") continue;
      known.add(link);
      await Deno.stat(new URL(link, root)).catch(() => {
        throw new Error(
          `Cannot build the site: ${path} links to ${link}, which must exist`,
        );
      });
      queue.push(link);
    }
  }
  await Deno.copyFile(new URL("tools/site/site.css", root), `${out}/site.css`);
  return queue.length;
}

async function buildFile(
  path: string,
  out: string,
  titles: ReadonlyMap<string, string>,
): Promise<{ readonly links: readonly string[] }> {
  const target = `${out}/${targetOf(path)}`;
  await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
  const source = new URL(path, root);
  if (/\.(svg|png)$/.test(path)) {
    await Deno.copyFile(source, target);
    return { links: [] };
  }
  const { isDirectory } = await Deno.stat(source);
  const page = isDirectory
    ? await listing(path)
    : path.endsWith(".md")
    ? renderPage(path, await Deno.readTextFile(source), targetOf)
    : sourcePage(path, await Deno.readTextFile(source));
  await Deno.writeTextFile(target, layout(path, page, titles));
  return page;
}

/** A page with the text of a file. */
function sourcePage(path: string, text: string): Page {
  const html = `<h1>${escape(path)}</h1>\n<pre tabindex="0"><code>${
    escape(text)
  }</code></pre>`;
  return { title: path, html, links: [] };
}

/** A page with the files of a folder. */
async function listing(path: string): Promise<Page> {
  const folder = path.replace(/\/?$/, "/");
  const files: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
    if (isFile) files.push(`${folder}${name}`);
  }
  files.sort();
  const items = files.map((file) =>
    `<li><a href="${upFrom(path)}${targetOf(file)}">${escape(file)}</a></li>`
  );
  return {
    title: path,
    html: `<h1>${escape(path)}</h1><ul>${items.join("\n")}</ul>`,
    links: files,
  };
}

async function buildAPI(out: string): Promise<void> {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  await run(Deno.execPath(), [
    "doc",
    "--html",
    "--name=asyncbackoff",
    `--output=${out}/api`,
    ...Object.values<string>(exports),
  ], { cwd: root });
}

/** Builds the site into an empty folder. */
async function buildSite(out: string): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const pages = await buildPages(out);
  const bytes = await buildPlayground(`${out}/playground`);
  await buildAPI(out);
  console.log(`${out}: ${pages} pages; the playground has ${bytes} bytes when compressed`);
}

const [first = "", port = "8000"] = Deno.args;
if (first === "--serve") {
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  await buildSite(folder);
  serve(folder, Number(port), "playground/");
} else {
  const folder = first === "" ? pathOf("site") : first;
  // A folder that is named may hold what is not ours.
  if (first === "") await Deno.remove(folder, { recursive: true }).catch(() => {});
  await buildSite(folder);
}
