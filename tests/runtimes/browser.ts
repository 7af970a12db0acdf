// Runs the test suite on the installed npm package in headless Chromium, in the places that
// are named as arguments: page, worker (one of the page's); both if none is named. Fails if
// a test fails, if none ran, and if something goes wrong outside of the tests.

import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
import { findChromium } from "./browser/chromium.ts";
import { conclude, type Outcome } from "./browser/outcome.ts";
import { serve } from "./browser/serve.ts";
import { bundleTests, needed } from "../support/bundle.ts";
import { makeLab } from "../support/project.ts";

/** What each place has of Node's modules: a page has other realms, in frames. */
const builtins: Record<string, string[]> = { page: ["node:vm"], worker: [] };
/** How long the tests may take in one place, in ms. */
const MOST = 300_000;

const executablePath = await findChromium();
await using lab = await makeLab(...needed);
const modules = await bundleTests(lab, "browser");
await using site = await serve(lab);
await using browser = await chromium.launch({
  executablePath,
  env: { ...Deno.env.toObject(), HOME: lab.folder, TMPDIR: lab.folder }, // to leave nothing
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
  await conclude(`Chromium's ${place}`, outcome, lab, outside);
}

/** Reads from the page what came of the tests. */
async function runIn(place: string, paths: string[], page: Page): Promise<Outcome> {
  const uncaught: string[] = [];
  let underWay = "the page";
  page.on("console", (message) => {
    if (message.type() === "debug") underWay = message.text();
  });
  page.on("pageerror", (error) => uncaught.push(`${underWay}\n${error.stack ?? error}`));
  page.on("crash", () => void page.close());
  const timer = setTimeout(() => void page.close(), MOST); // even one that is blocked
  try {
    await page.goto(`${site.origin}/browser/index.html`);
    const expression = `runIn.${place}(${JSON.stringify(paths)})`;
    const { passed, failures } = await page.evaluate<Outcome>(expression);
    return { passed, failures: failures.length > 0 ? failures : uncaught };
  } catch (error) {
    const what = `${underWay}: it crashed, or was not over within ${MOST} ms\n${error}`;
    return { passed: 0, failures: [what, ...uncaught] };
  } finally {
    clearTimeout(timer);
    await page.close();
  }
}
