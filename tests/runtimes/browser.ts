// Runs the tests on the installed npm package in headless Chromium, in the places that are
// named as arguments: page, worker (a worker of the page); both if none is named. Fails if
// a test fails, if none ran, and if an error is uncaught.

import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
import { findChromium } from "./browser/chromium.ts";
import { conclude, type Outcome } from "./browser/outcome.ts";
import { serve } from "./browser/serve.ts";
import { bundleTests, neededPackages } from "../support/bundle.ts";
import { makeProject } from "../support/project.ts";

/** The modules of Node that each place can replace: a frame of a page is another realm. */
const builtins: Record<string, string[]> = { page: ["node:vm"], worker: [] };
/** The longest time that the tests may take in one place, in ms. */
const MAX_MS = 300_000;

const executablePath = await findChromium();
await using project = await makeProject(...neededPackages);
const modules = await bundleTests(project, "browser");
await using site = await serve(project);
await using browser = await chromium.launch({
  executablePath,
  // Files that it leaves are removed with the project.
  env: { ...Deno.env.toObject(), HOME: project.folder, TMPDIR: project.folder },
  args: ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
    .concat("--disable-component-update", "--disable-sync", "--no-first-run"),
});
console.log(`Chromium ${browser.version()}`);
for (const place of Deno.args.length > 0 ? Deno.args : Object.keys(builtins)) {
  await testIn(place, browser);
}

async function testIn(place: string, browser: Browser): Promise<void> {
  const has = (name: string) => builtins[place]?.includes(name);
  const inside = modules.filter((each) => each.builtins.every(has));
  const paths = inside.map(({ path }) => `/${path}`);
  const outcome = await runIn(place, paths, await browser.newPage());
  const outside = modules.filter((each) => !inside.includes(each));
  await conclude(`Chromium's ${place}`, outcome, project, outside);
}

/** Runs the tests in a page, and returns their results. */
async function runIn(place: string, paths: string[], page: Page): Promise<Outcome> {
  const uncaught: string[] = [];
  let current = "the page";
  page.on("console", (message) => {
    if (message.type() === "debug") current = message.text();
  });
  page.on("pageerror", (error) => uncaught.push(`${current}\n${error.stack ?? error}`));
  page.on("crash", () => void page.close());
  const timer = setTimeout(() => void page.close(), MAX_MS); // also a page that is blocked
  try {
    await page.goto(`${site.origin}/browser/index.html`);
    const expression = `runIn.${place}(${JSON.stringify(paths)})`;
    const { passed, failures } = await page.evaluate<Outcome>(expression);
    return { passed, failures: failures.length > 0 ? failures : uncaught };
  } catch (error) {
    const failure = `${current}: it crashed, or took longer than ${MAX_MS} ms\n${error}`;
    return { passed: 0, failures: [failure, ...uncaught] };
  } finally {
    clearTimeout(timer);
    await page.close();
  }
}
