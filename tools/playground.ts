// Builds the playground, a static page, and serves folders on the loopback interface.

import { gzipSync } from "node:zlib";
import * as esbuild from "npm:esbuild@0.28.2";
import { pathOf, root } from "./package.ts";

/** The largest that the page may be when it is compressed, in bytes. */
const MAX_BYTES = 80_000;
const FILES = ["index.html", "style.css"];
const PACKAGE = "@asyncbackoff/asyncbackoff";

/**
 * Builds the playground.
 *
 * @param out The folder to build into.
 * @returns The size of the page when it is compressed, in bytes.
 */
export async function buildPlayground(out: string): Promise<number> {
  await Deno.mkdir(out, { recursive: true });
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  await esbuild.build({
    absWorkingDir: pathOf("").replace(/\/$/, ""),
    entryPoints: ["playground/main.ts"],
    outfile: `${out}/main.js`,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    logLevel: "error",
    plugins: [{
      name: "package",
      setup: ({ onResolve }) =>
        onResolve(
          { filter: new RegExp(`^${PACKAGE}`) },
          ({ path }) => ({ path: pathOf(imports[path]) }),
        ),
    }],
  });
  await esbuild.stop();
  for (const name of FILES) {
    await Deno.copyFile(new URL(`playground/${name}`, root), `${out}/${name}`);
  }
  let bytes = 0;
  for (const name of [...FILES, "main.js"]) {
    bytes += gzipSync(await Deno.readFile(`${out}/${name}`), { level: 9 }).length;
  }
  if (bytes > MAX_BYTES) {
    throw new Error(`The playground must have at most ${MAX_BYTES} bytes, got ${bytes}`);
  }
  return bytes;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
  png: "image/png",
  json: "application/json",
};

/**
 * Serves a folder on the loopback interface.
 *
 * @param folder The folder.
 * @param port The port; 0 for any.
 * @param path The path of the address that is printed.
 */
export function serve(
  folder: string,
  port: number,
  path: string,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/${path}`),
    onError: () => new Response("Not found", { status: 404 }),
  }, async ({ url }) => {
    const { pathname } = new URL(url); // has no `..` any more
    const path = decodeURIComponent(pathname).replace(/\/$/, "/index.html");
    if (path.includes("..")) return new Response("Not found", { status: 404 });
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain";
    const body = await Deno.readFile(`${folder}${path}`);
    return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
}
