// A page of the site in Chromium, whose errors and requests are watched.

import type { Browser, BrowserContextOptions, Page } from "npm:playwright-core@1.65.1";

/** A page that is open. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console, uncaught errors, and requests to other places. */
  readonly problems: string[];
}

/** Opens a page. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const viewport = { width: 1280, height: 900 };
  const context = await browser.newContext({ viewport, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  const { origin } = new URL(url);
  page.on("request", (request) => {
    const isOwn = request.url().startsWith(`${origin}/`) ||
      request.url().startsWith("data:");
    if (!isOwn) problems.push(`It loads ${request.url()}`);
  });
  page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
  await page.goto(url);
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until the playground has shown its results. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector("#results[aria-busy=false]", { timeout: 20_000 });
}

/** The violations that axe-core finds in a page, in words. */
export async function violationsOf(page: Page, axe: string): Promise<string[]> {
  // The page's policy forbids scripts of others, so it is run by the browser's protocol.
  await page.evaluate(axe);
  const violations = await page.evaluate<
    { id: string; nodes: { target: string[]; failureSummary: string }[] }[]
  >("axe.run().then(({ violations }) => violations)");
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`)
  );
}
