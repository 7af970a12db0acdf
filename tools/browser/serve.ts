// The lab on localhost, for a browser.

import type { Lab } from "../lab.ts";

/** What is served, and where. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
}

const types: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
};

/** Serves what is in a lab, and at `/browser/` what is in this folder. */
export async function serve(lab: Lab): Promise<Site> {
  const places = await placesOf(lab);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: (error) => new Response(String(error), { status: 404 }),
  }, async ({ url }) => {
    const { pathname } = new URL(url);
    const isOurs = pathname.startsWith("/browser/");
    const file = isOurs ? new URL(`..${pathname}`, import.meta.url) : lab.folder + pathname;
    let text = await Deno.readTextFile(file);
    for (const [name, path] of places) text = text.replaceAll(`"${name}"`, `"${path}"`);
    const type = types[pathname.slice(pathname.lastIndexOf(".") + 1)] ?? "text/plain";
    return new Response(text, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Where modules are that are imported by name: an import map would not do in a worker. */
async function placesOf(lab: Lab): Promise<[name: string, path: string][]> {
  const name = "@asyncbackoff/asyncbackoff";
  const folder = `/node_modules/${name}/`;
  const manifest = await Deno.readTextFile(`${lab.folder}${folder}package.json`);
  const exports: Record<string, { import: string }> = JSON.parse(manifest).exports;
  return [".", "./testing"].map((entry): [string, string] => [
    name + entry.slice(1),
    folder + exports[entry]?.import.slice(2),
  ]).concat([["node:vm", "/browser/vm.js"]]);
}
