// The lab on localhost, for a browser.

import { placed, placesOf } from "../../support/bundle.ts";
import type { Lab } from "../../support/project.ts";

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
  const places = { ...await placesOf(lab), "node:vm": "/browser/vm.js" };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: (error) => new Response(String(error), { status: 404 }),
  }, async ({ url }) => {
    const { pathname } = new URL(url);
    const isOurs = pathname.startsWith("/browser/");
    const file = isOurs ? new URL(`..${pathname}`, import.meta.url) : lab.folder + pathname;
    const text = placed(await Deno.readTextFile(file), places);
    const type = types[pathname.slice(pathname.lastIndexOf(".") + 1)] ?? "text/plain";
    return new Response(text, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
