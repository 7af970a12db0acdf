// Compares fetchWith with other libraries on one server, in Node, and writes the table into
// docs/http.md. The cases and the settings of each library are in compare/http.js.

import { makeProject } from "../support/project.ts";
import { pathOf, run } from "../support/run.ts";

const PAGE = "docs/http.md";
const MARKERS = /(<!-- compare:http -->\n)[^]*(<!-- \/compare:http -->)/;
const peers = ["ky", "got", "undici", "axios-retry", "fetch-retry", "p-retry"];
const packages = [
  "ky@1",
  "got@14",
  "undici@7",
  "axios@1",
  "axios-retry@4",
  "fetch-retry@6",
];

await using project = await makeProject(...packages, "p-retry@7");
const script = new URL("compare/http.js", import.meta.url);
await Deno.copyFile(script, `${project.folder}/http.js`);
const printed = await project.run("node", ["http.js"]);
const table: Record<string, Record<string, string>> = JSON.parse(
  printed.slice(printed.indexOf("{")),
);

async function versionOf(name: string): Promise<string> {
  const path = `${project.folder}/node_modules/${name}/package.json`;
  return `${name} ${JSON.parse(await Deno.readTextFile(path)).version}`;
}
const versions = await Promise.all(peers.map(versionOf));
const node = (await project.run("node", ["--version"])).trim().slice(1);

const names = Object.keys(Object.values(table)[0] ?? {});
const lines = [
  ["case", ...names],
  ["case", ...names].map(() => "---"),
  ...Object.entries(table).map(([title, cells]) => [
    title,
    ...names.map((name) => cells[name] ?? ""),
  ]),
].map((cells) => `| ${cells.join(" | ")} |`);
const day = new Date().toISOString().slice(0, 10);
const text = `\nNode ${node}, ${versions.join(", ")}; ${day}.\n\n${lines.join("\n")}\n\n`;
console.log(text);
const page = await Deno.readTextFile(pathOf(PAGE));
if (!MARKERS.test(page)) throw new Error(`${PAGE} must have the markers of the table`);
await Deno.writeTextFile(pathOf(PAGE), page.replace(MARKERS, `$1${text}$2`));
await run(Deno.execPath(), ["fmt", "-q", pathOf(PAGE)]);
