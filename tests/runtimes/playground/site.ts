// Builds the site into a temporary folder, and serves it on the loopback interface.

import { root, run } from "../../support/run.ts";

/** A site that is served. */
export interface BuiltSite extends AsyncDisposable {
  readonly origin: string;
  /** The folder that it was built into. */
  readonly folder: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
  png: "image/png",
};

/** Builds and serves the site. */
export async function buildSite(): Promise<BuiltSite> {
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  const args = ["run", "-q", "-A", "tools/site.ts", folder];
  console.log((await run(Deno.execPath(), args, { cwd: root })).trim());
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response("Not found", { status: 404 }),
  }, async ({ url }) => {
    const path = decodeURIComponent(new URL(url).pathname);
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain";
    const body = await Deno.readFile(folder + path);
    return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    folder,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The paths of all HTML files in a folder, besides those of the API reference. */
export async function pagesIn(folder: string, prefix = ""): Promise<string[]> {
  const pages: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory && name !== "api") {
      pages.push(...await pagesIn(folder, `${prefix}${name}/`));
    } else if (name.endsWith(".html")) pages.push(prefix + name);
  }
  return pages.sort();
}
