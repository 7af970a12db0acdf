// Serves a project on localhost, for a browser.

import { entryPathsOf, withPaths } from "../../support/bundle.ts";
import type { Project } from "../../support/project.ts";

/** A project that is served. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
}

const types: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
};

/** Serves the files of a project, and at `/browser/` the files of this folder. */
export async function serve(project: Project): Promise<Site> {
  const paths = { ...await entryPathsOf(project), "node:vm": "/browser/vm.js" };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: (error) => new Response(String(error), { status: 404 }),
  }, async ({ url }) => {
    const { pathname } = new URL(url);
    const isOurs = pathname.startsWith("/browser/");
    const file = isOurs
      ? new URL(`..${pathname}`, import.meta.url)
      : project.folder + pathname;
    const text = withPaths(await Deno.readTextFile(file), paths);
    const type = types[pathname.slice(pathname.lastIndexOf(".") + 1)] ?? "text/plain";
    return new Response(text, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
