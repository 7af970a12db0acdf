// The playground and the site in headless Chromium: each control, code and form, stepping,
// presets, a shared URL, the keyboard alone, light and dark, narrow screens, axe-core, wrong
// and random text. Fails if something is loaded from elsewhere, or if an error reaches the
// console. With --pictures, it also takes the pictures of the pages, in examples/pictures/.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import axeCore from "npm:axe-core@4.14.1";
import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
import { seeded } from "../support/chance.ts";
import { pathOf } from "../support/run.ts";
import { findChromium } from "./browser/chromium.ts";
import { buildSite, pagesIn } from "./playground/site.ts";
import { settled, violationsOf, visit } from "./playground/visit.ts";

/** The first drawing comes within 200 ms of the load. A machine that is busy is slower. */
const MAX_MS = 5000;

/** A world that runs in no time, for checks of the fields. */
const SMALL = "{ executions: 3, failureRate: 0.5, maxAttempts: 200 }";

await using site = await buildSite();
await using browser: Browser = await chromium.launch({
  executablePath: await findChromium(),
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
});
console.log(`Chromium ${browser.version()}`);
const axe = axeCore.source;
const url = `${site.origin}/playground/index.html`;

let passed = 0;
const failures: string[] = [];

/** Runs a check in a page of its own. */
async function check(
  name: string,
  body: (page: Page) => Promise<void>,
  hash = "",
  options: Parameters<typeof visit>[2] = {},
): Promise<void> {
  const beganAt = performance.now();
  try {
    await using visited = await visit(browser, `${url}${hash}`, options);
    await settled(visited.page);
    await body(visited.page);
    assertEquals(visited.problems, []);
    passed += 1;
    console.log(`${name}: ok (${Math.round(performance.now() - beganAt)} ms)`);
  } catch (error) {
    failures.push(name);
    console.error(`${name}: FAILED\n${error instanceof Error ? error.stack : error}`);
  }
}

const policy = (page: Page) => page.inputValue("#policy-code");
const world = (page: Page) => page.inputValue("#world-code");
const text = async (page: Page, selector: string) =>
  (await page.innerText(selector)).trim();

async function write(page: Page, selector: string, value: string): Promise<void> {
  await page.fill(selector, value);
  await settled(page);
}

await check("the first drawing comes soon after the load", async (page) => {
  const [drawn, loaded] = await page.evaluate<number[]>(
    `[performance.getEntriesByName("drawn")[0].startTime,
      performance.getEntriesByType("navigation")[0].domContentLoadedEventStart]`,
  );
  const ms = Math.round((drawn ?? Infinity) - (loaded ?? 0));
  console.log(`the first drawing: ${ms} ms after the load`);
  assert(ms < MAX_MS, `${ms} ms`);
});

await check("each field of the form changes the code", async (page) => {
  await write(page, "#world-code", SMALL);
  await write(page, "#policy-code", "new Backoff({})");
  await page.click("#form summary:has-text('More options')");
  const values: Record<string, string> = {
    attemptTimeout: "400",
    deadline: "2500",
    pause: "[10, 20]",
    exceptions: "[TypeError]",
    maxTries: "4",
    budget: "new TokenBudget()",
    minRemaining: "5",
    until: "(value) => value !== 1",
    giveup: "(error, { elapsed }) => elapsed > 900",
    grace: "7",
    retryExhausted: "false",
    signal: "AbortSignal.timeout(3000)",
    name: '"load user"',
  };
  for (const [name, value] of Object.entries(values)) {
    await page.fill(`#option-${name}`, value);
  }
  await settled(page);
  const code = await policy(page);
  for (const [name, value] of Object.entries(values)) {
    assert(code.includes(`${name}: ${value}`), `${name} is not in ${code}`);
  }
  for (const name of ["observe", "clock"]) {
    assert(await page.isDisabled(`#option-${name}`), name);
  }
  for (const name of Object.keys(values)) {
    await page.fill(`#option-${name}`, "");
    assert(!(await policy(page)).includes(`${name}:`), name);
  }
});

await check("each example of a field is accepted", async (page) => {
  await write(page, "#world-code", SMALL);
  await page.click("#form summary:has-text('More options')");
  const selects = await page.evaluate<[id: string, values: string[]][]>(
    `Array.from(document.querySelectorAll("#form select"), ({ id, options }) =>
      [id, Array.from(options, ({ value }) => value).slice(1)])`,
  );
  assert(selects.length >= 7);
  for (const [id, values] of selects) {
    for (const value of values) {
      await page.selectOption(`#${id}`, value);
      await settled(page);
      assertEquals(await text(page, "#policy-error"), "", `${id} ${value}`);
    }
  }
});

await check("the form follows the code, in every notation", async (page) => {
  await write(
    page,
    "#policy-code",
    "asyncbackoff(111, 222, 33, TypeError, { maxTries: 4 })",
  );
  const fields = ["attemptTimeout", "deadline", "pause", "exceptions", "maxTries"];
  const values = () =>
    Promise.all(fields.map((name) => page.inputValue(`#option-${name}`)));
  assertEquals(await values(), ["111", "222", "33", "[TypeError]", "4"]);
  assertEquals(await page.inputValue("#notation"), "decorator");
  for (
    const [notation, begin] of [["retry", "await retry("], ["Backoff", "new Backoff("]]
  ) {
    await page.selectOption("#notation", notation ?? "");
    await settled(page);
    assert((await policy(page)).startsWith(begin ?? ""));
    assertEquals(await values(), ["111", "222", "33", "[TypeError]", "4"]);
  }
});

await check(
  "a mistake in a field has a message there, and leaves the code",
  async (page) => {
    const before = await policy(page);
    await page.fill("#option-pause", "exponential({");
    assertMatch(await text(page, "#option-pause-error"), /must be here, got the end/);
    assertEquals(await page.getAttribute("#option-pause", "aria-invalid"), "true");
    assertEquals(await policy(page), before);
    await page.fill("#option-pause", "5");
    assertEquals(await text(page, "#option-pause-error"), "");
  },
);

await check("wrong code has a message at its line", async (page) => {
  const wrong: [code: string, message: RegExp][] = [
    ["new Backoff({\n  maxTries: 0,\n})", /^Line 2, column 3: .*'maxTries' must be/],
    [
      "new Backoff({\n  deadline: 1\n  pause: 2 })",
      /^Line 3, column 3: There must be , or }/,
    ],
    ["fetch('/')", /^Line 1, column 1: A policy must be/],
    ["{\n\n  giveup: () => alert(1)\n}", /^Line 3, column 17: The name 'alert'/],
  ];
  for (const [code, message] of wrong) {
    await page.fill("#policy-code", code);
    assertMatch(await text(page, "#policy-error"), message);
    assertEquals(await page.getAttribute("#policy-code", "aria-invalid"), "true");
  }
  await page.fill("#world-code", "{\n  latency: -1 }");
  assertMatch(await text(page, "#world-error"), /^Line 2, column 3: .*'latency' must be/);
});

await check(
  "an execution is stepped event by event, with the engine's state",
  async (page) => {
    await page.click("#first");
    assertMatch(await text(page, "#step-words"), /^0 ms\s+Attempt 1 begins\.$/);
    assertMatch(await text(page, "#state"), /phase\s+trying/);
    assertMatch(await page.evaluate<string>("location.hash"), /step=0/);
    await page.click("#next");
    assertMatch(await text(page, "#state"), /phase\s+pausing/);
    assertMatch(await text(page, "#step-number"), /^2 of \d+$/);
    await page.click("#previous");
    assertMatch(await text(page, "#step-number"), /^1 of/);
    await page.click("#last");
    assertMatch(await text(page, "#state"), /phase\s+done/);
    await page.focus("#step");
    await page.keyboard.press("Home");
    assertMatch(await text(page, "#step-number"), /^1 of/);
    await page.keyboard.press("ArrowRight");
    assertMatch(await text(page, "#step-number"), /^2 of/);
  },
);

await check("another execution is chosen by number, or as the slowest", async (page) => {
  await write(page, "#execution", "3");
  assertMatch(await text(page, "#execution-about"), /^Begins at 50 ms\.$/);
  await page.click("#slowest");
  await settled(page);
  const slowest = await page.inputValue("#execution");
  assertNotEquals(slowest, "3");
  assert((await text(page, "#step-words")).startsWith("2296.9 ms"));
  await page.click("#busiest");
  await settled(page);
  await write(page, "#execution", "9999");
  assertMatch(await text(page, "#execution-about"), /no execution of this number/);
});

await check("each preset runs, and says what it shows", async (page) => {
  const keys = await page.evaluate<string[]>(
    `Array.from(document.querySelectorAll("#preset option:not([disabled])"), (o) => o.value)`,
  );
  assert(keys.length >= 6);
  for (const key of keys) {
    await page.selectOption("#preset", key);
    await settled(page);
    assertEquals(await page.inputValue("#preset"), key);
    assertEquals([await text(page, "#policy-error"), await text(page, "#world-error")], [
      "",
      "",
    ]);
    assert((await text(page, "#preset-about")).length > 20);
    assert(await page.locator("#words li").count() > 0);
    assert(await page.locator("#tiles dd").count() >= 6);
    assertMatch(await text(page, "#state"), /phase\s+done/);
    for (const id of ["durations", "load"]) {
      assert(await page.locator(`#${id} svg[role=img]`).count() === 1);
    }
  }
});

await check(
  "the outage has words for its load, and less of it with a budget",
  async (page) => {
    await page.selectOption("#preset", "outage");
    await settled(page);
    assertMatch(
      await text(page, "#words"),
      /In an outage, this makes \d+(\.\d)? times the load/,
    );
    const label = await page.getAttribute("#load svg", "aria-label") ?? "";
    const [, own = "0", budget = "0"] =
      /calls: at most (\d+)\. calls with a budget of 20 %: at most (\d+)/.exec(label) ?? [];
    assert(Number(own) > 4 * Number(budget) && Number(budget) > 0, label);
  },
);

await check("a shared URL shows the same in another page", async (page) => {
  await write(
    page,
    "#policy-code",
    'new Backoff({ maxTries: 3, exceptions: "all", pause: 9 })',
  );
  await write(
    page,
    "#world-code",
    '{ script: [{ latency: 5, error: new TypeError("é#&") }] }',
  );
  await page.click("#first");
  await page.click("#next");
  const state = async (page: Page) => [
    await policy(page),
    await world(page),
    await text(page, "#step-words"),
    await text(page, "#tiles"),
  ];
  await using other = await visit(browser, page.url());
  await settled(other.page);
  assertEquals(await state(other.page), await state(page));
  assertEquals(other.problems, []);
});

await check("each copy is what it says", async (page) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copies: [what: string, begin: RegExp][] = [
    ["Backoff", /^new Backoff\(\{/],
    ["decorator", /^@asyncbackoff\(\{/],
    ["retry", /^await retry\(load, \{/],
    ["test", /^import [^]*assert\(result\.answeredWithin/],
    ["link", /^http.*#policy=/],
  ];
  for (const [what, begin] of copies) {
    await page.click(`[data-copy=${what}]`);
    await page.waitForSelector(`[data-copy=${what}]:has-text("copied")`);
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    assertMatch(copied, begin);
  }
  assertMatch(await page.textContent("#copied") ?? "", /Copied/);
});

await check("the keyboard alone reaches and uses everything", async (page) => {
  const active = () =>
    page.evaluate<string>(
      `document.activeElement.id || document.activeElement.dataset.copy ||
        document.activeElement.tagName`,
    );
  const reached: string[] = [];
  for (let count = 0; count < 80; count++) {
    await page.keyboard.press("Tab");
    const name = await active();
    if (name === "BODY") break;
    reached.push(name);
    const outline = await page.evaluate<string>(
      `getComputedStyle(document.activeElement).outlineStyle`,
    );
    assertNotEquals(outline, "none", `${name} shows no focus`);
  }
  const wanted = [
    "notation",
    "policy-code",
    "Backoff",
    "link",
    "option-deadline",
    "SUMMARY",
  ]
    .concat(
      "choices-pause",
      "preset",
      "world-code",
      "execution",
      "slowest",
      "next",
      "step",
    );
  assertEquals(wanted.filter((name) => !reached.includes(name)), []);
  // Change the deadline, and step, without the mouse.
  await page.focus("#option-deadline");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2222");
  await settled(page);
  assert((await policy(page)).includes("deadline: 2222"));
  await page.focus("#first");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assertEquals(await active(), "next");
  await page.keyboard.press("Space");
  assertMatch(await text(page, "#step-number"), /^2 of/);
  assertEquals(await active(), "next");
});

await check(
  "random text never hangs the page, and has a message at a line",
  async (page) => {
    await write(page, "#world-code", SMALL);
    const random = seeded(22);
    const original = await policy(page);
    const signs = [..."{}[]().,:;?!+-*/<>=&|@#'\"`\\\n 019_aE"];
    let wrong = 0;
    for (let count = 0; count < 300; count++) {
      const chars = [...original];
      for (let edits = 1 + random() * 4; edits > 0; edits--) {
        const sign = signs[Math.floor(random() * signs.length)] ?? "";
        chars.splice(Math.floor(random() * chars.length), random() < 0.5 ? 1 : 0, sign);
      }
      const code = chars.join("");
      await page.fill("#policy-code", code, { timeout: 5000 });
      const message = await text(page, "#policy-error");
      const isInvalid = await page.getAttribute("#policy-code", "aria-invalid") === "true";
      assertEquals(isInvalid, message !== "");
      if (message === "") continue;
      wrong += 1;
      assertMatch(message, /^Line \d+, column \d+: ./, code);
    }
    assert(wrong > 100, `${wrong} were wrong`);
    await write(page, "#policy-code", original);
    assertEquals(await text(page, "#policy-error"), "");
  },
);

await check("a policy and a world that never end are left", async (page) => {
  await write(page, "#policy-code", '{ exceptions: "all" }');
  await write(page, "#world-code", "{ failureRate: 1, maxAttempts: 2000 }");
  assertMatch(await text(page, "#words"), /A caller may wait for ever/);
  assertMatch(await text(page, "#execution-about"), /under way when the simulation ends/);
});

const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  narrow: { colorScheme: "light", viewport: { width: 390, height: 844 } },
} as const;
const grounds: Record<string, string> = {};
for (const [name, options] of Object.entries(looks)) {
  await check(
    `axe-core finds nothing in the playground, ${name}`,
    async (page) => {
      await page.click("#form summary:has-text('More options')");
      await page.click("section[aria-labelledby=world-title] summary");
      if (name === "narrow") {
        await page.click("#form summary:has-text('Limits and retries')");
      }
      assertEquals(await violationsOf(page, axe), []);
      grounds[name] = await page.evaluate<string>(
        "getComputedStyle(document.body).backgroundColor",
      );
      const [width, inner] = await page.evaluate<number[]>(
        "[document.documentElement.scrollWidth, innerWidth]",
      );
      assert((width ?? 0) <= (inner ?? 0), `it is ${width} wide in ${inner}`);
    },
    "",
    options,
  );
}
assertNotEquals(grounds["light"], grounds["dark"]);

/** Checks the pages of the site: axe-core, links, and anchors. */
async function checkPages(): Promise<void> {
  const pages = (await pagesIn(site.folder)).filter((path) =>
    !path.startsWith("playground")
  );
  const anchors = new Map<string, Set<string>>();
  const links: [page: string, target: string][] = [];
  let open = 0;
  for (const path of pages) {
    await using visited = await visit(browser, `${site.origin}/${path}`);
    const { page, problems } = visited;
    assertEquals(problems, [], path);
    const [ids = [], hrefs = []] = await page.evaluate<string[][]>(
      `[Array.from(document.querySelectorAll("[id]"), ({ id }) => id),
        Array.from(document.links, ({ href }) => href)]`,
    );
    anchors.set(`${site.origin}/${path}`, new Set(ids));
    links.push(...hrefs.map((href) => [path, href] as [string, string]));
    open += hrefs.filter((href) => href.includes("/playground/index.html#policy=")).length;
    if (path.startsWith("docs/") || path === "index.html") {
      assertEquals(await violationsOf(page, axe), [], path);
    }
  }
  assert(open > 40, `${open} links open a policy in the playground`);
  for (const [page, href] of links) {
    const target = new URL(href);
    if (target.origin !== site.origin) continue;
    const known = anchors.get(target.origin + target.pathname);
    const exists = known !== undefined ||
      await Deno.stat(site.folder + decodeURIComponent(target.pathname)).then(
        () => true,
        () => false,
      );
    assert(exists, `${page}: ${href} does not exist`);
    const anchor = decodeURIComponent(target.hash.slice(1));
    if (known === undefined || anchor === "" || target.pathname.includes("/playground/")) {
      continue;
    }
    assert(known.has(anchor), `${page}: ${href} names no heading`);
  }
  // A link of a page opens its policy.
  const [, href = ""] =
    links.find(([page, href]) =>
      page === "docs/budgets.html" && href.includes("#policy=")
    ) ?? [];
  await using visited = await visit(browser, href);
  await settled(visited.page);
  assertMatch(await visited.page.inputValue("#policy-code"), /RetryBudget/);
  assertEquals(visited.problems, []);
  console.log(`${pages.length} pages, ${links.length} links, ${open} policies: ok`);
  passed += 1;
}

try {
  await checkPages();
} catch (error) {
  failures.push("the pages");
  console.error(error);
}

if (Deno.args.includes("--pictures")) {
  // Only the first one is shown by a page. The others are made to be looked at.
  const others = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  for (const [name, options] of Object.entries(looks)) {
    await using visited = await visit(browser, `${url}#step=9`, {
      ...options,
      deviceScaleFactor: name === "light" ? 1.25 : 1,
    });
    await settled(visited.page);
    const path = name === "light"
      ? pathOf("examples/pictures/playground.png")
      : `${others}/playground_${name}.png`;
    await visited.page.screenshot({ path, fullPage: name === "narrow" });
    console.log(path);
  }
}

console.log(`${passed} passed, ${failures.length} failed`);
if (failures.length > 0) throw new Error(`These must pass: ${failures.join(", ")}`);
