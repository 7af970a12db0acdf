// What the files may know of each other, and of the world. They are read as text.

import { assertEquals, assertMatch } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** A file as it is, and without what is no code. Each line stays where it was. */
interface Source {
  readonly name: string;
  readonly text: string;
  /** Without comments. */
  readonly bare: string;
  /** Without comments and without the text in strings, templates and patterns. */
  readonly code: string;
}

const EXPRESSION = /\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}/;
const COMMENT = /\/\*[^]*?\*\/|\/\/.*/;
const STRING = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/;
const PATTERN = /(?<=[(,=:!&|?;]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//;
const TEMPLATE = new RegExp("`(?:\\\\[^]|" + EXPRESSION.source + "|[^`\\\\])*`");
const NO_CODE = new RegExp(
  [COMMENT, STRING, PATTERN, TEMPLATE].map(({ source }) => `(${source})`).join("|"),
  "g",
);

/** Takes comments out, and with `isBlank` all other text that is no code. */
function strip(text: string, isBlank: boolean): string {
  return text.replace(NO_CODE, (token, comment?: string) => {
    if (comment !== undefined) return comment.replace(/[^\n]/g, "");
    if (!isBlank) return token;
    if (!token.startsWith("`")) return '""';
    const parts = new RegExp(`(${EXPRESSION.source})|[^\\n]`, "g");
    const rest = token.replace(
      parts,
      (_, code?: string) => code === undefined ? "" : strip(code.slice(1), true),
    );
    return "``" + rest;
  });
}

const sourceOf = (name: string, text: string): Source => ({
  name,
  text,
  bare: strip(text, false),
  code: strip(text, true),
});

const read = async (path: string): Promise<Source> =>
  sourceOf(
    path.replace(/^.*\//, "").replace(/\.ts$/, ""),
    await Deno.readTextFile(new URL(path, root)),
  );

const sources: Source[] = [];
for await (const { name } of Deno.readDir(new URL("src/", root))) {
  sources.push(await read(`src/${name}`));
}
const mod = await read("mod.ts");
const all = [...sources, mod];

const IMPORT =
  /^\s*(?:import|export)\b[^;"']*\bfrom\s*["']([^"']*)["']|\bimport\s*\(?\s*["'`]([^"'`]*)["'`]/gm;

/** Where a file imports from, types included. */
const specifiers = ({ bare }: Source): string[] =>
  Array.from(bare.matchAll(IMPORT), ([, from, alone]) => from ?? alone ?? "");

const nameOf = (specifier: string): string => specifier.replace(/^.*\/|\.ts$/g, "");

/** What each file imports, exactly: a new edge is a decision to be made here first. */
const allowed: Record<string, string[]> = {
  asyncbackoff: ["backoff", "decorator", "errors", "options"],
  asyncretry: ["backoff", "decorator", "options"],
  attempt: ["clock", "signal", "state"],
  backoff: ["attempt", "decorator", "errors", "execution", "options", "policy"]
    .concat("signal", "statistic", "validate"),
  budget: [],
  clock: ["errors", "shared_timers", "signal", "turn"],
  decorator: ["errors", "statistic"],
  engine: ["errors", "state"],
  errors: [],
  execution: [
    "attempt",
    "engine",
    "observe",
    "policy",
    "signal",
    "state",
    "statistic",
    "timer",
  ],
  execution_record: ["errors", "observe"],
  mod: ["asyncbackoff", "asyncretry", "attempt", "backoff", "budget", "clock", "decorator"]
    .concat("errors", "observe", "options", "pauses", "preview", "retry_after")
    .concat("retry_budget", "signal", "state", "statistic", "timeline", "token_budget"),
  observe: ["attempt", "clock", "state", "timer"],
  options: ["budget", "clock", "errors", "observe", "signal", "state"],
  pauses: ["errors", "options", "state", "validate"],
  policy: ["budget", "clock", "observe", "options", "state", "validate"],
  preview: ["errors", "options", "pauses", "state", "validate"],
  retry_after: ["errors"],
  retry_budget: ["budget", "errors", "options", "validate"],
  shared_timers: ["turn"],
  signal: [],
  state: ["errors"],
  statistic: ["state"],
  test_clock: ["clock", "errors", "signal", "timer_queue", "turn"],
  time_axis: [],
  timeline: ["execution_record", "observe", "options", "timeline_svg", "timeline_text"]
    .concat("validate"),
  timeline_svg: ["execution_record", "time_axis", "timeline_text"],
  timeline_text: ["execution_record", "time_axis"],
  timer: ["clock", "errors", "state"],
  timer_queue: [],
  token_budget: ["budget", "options", "validate"],
  turn: [],
  validate: ["budget", "clock", "errors", "options", "signal"],
};

Deno.test("src/ and mod.ts import what the layers allow, and nothing else", () => {
  const graph = all.map((file) => [file.name, specifiers(file).map(nameOf).sort()]);
  assertEquals(Object.fromEntries(graph), allowed);
});

Deno.test("src/ and mod.ts import from src/ alone, by a relative path", () => {
  for (const file of sources) {
    for (const each of specifiers(file)) assertMatch(each, /^\.\/\w+\.ts$/, file.name);
  }
  for (const each of specifiers(mod)) assertMatch(each, /^\.\/src\/\w+\.ts$/);
});

Deno.test("src/ imports without a cycle", () => {
  let left = Object.entries(allowed);
  for (let size = Infinity; left.length < size;) {
    size = left.length;
    const names = new Set(left.map(([name]) => name));
    left = left.filter(([, imports]) => imports.some((each) => names.has(each)));
  }
  assertEquals(left, []);
});

Deno.test("src/ imports in one direction, from the decorators down to the errors", () => {
  const layers = ["errors", "clock", "state", "engine", "policy", "attempt", "execution"]
    .concat("backoff", "asyncbackoff", "asyncretry", "mod");
  for (const [index, layer] of layers.entries()) {
    const above = layers.slice(index);
    assertEquals(allowed[layer]?.filter((each) => above.includes(each)), [], layer);
  }
});

Deno.test("src/ has asyncbackoff import nothing that stands beside the core", () => {
  const reached = new Set(["asyncbackoff"]);
  for (const name of reached) allowed[name]?.forEach((each) => reached.add(each));
  const beside = ["pauses", "preview", "retry_after", "retry_budget", "token_budget"];
  assertEquals(beside.filter((name) => reached.has(name)), []);
});

Deno.test("mod.ts re-exports by name and does nothing else", () => {
  const exports = /^export (?:type )?\{[^{}]*\} from "\.\/src\/\w+\.ts";$/gm;
  assertEquals(mod.bare.replace(exports, "").trim(), "");
});

Deno.test("engine.ts and state.ts know no promise, timer, clock, signal or chance", () => {
  const pure = sources.filter(({ name }) => name === "engine" || name === "state");
  assertEquals(pure.length, 2);
  const words = ["Promise.", "async", "await", "setTimeout", "Date", "performance"]
    .concat("AbortController", "Math.random");
  for (const { name, bare } of pure) {
    assertEquals(words.filter((each) => bare.includes(each)), [], name);
  }
});

/** What no file holds but those that are named, and a line of code that each rule finds. */
const rules: {
  what: string;
  pattern: RegExp;
  sample: string;
  within?: "bare" | "code";
  except?: string[];
}[] = [
  {
    what: "interface of one runtime",
    pattern: /\b(?:Deno|process|Bun)\b/,
    sample: "const home = `${Deno.env}`;",
  },
  {
    what: "module of one runtime or registry",
    pattern: /["'`](?:node|bun|npm|jsr|https?):/,
    sample: 'const timers = await load("node:timers");',
    within: "bare",
    except: ["timeline_svg"], // a namespace looks like a registry
  },
  {
    what: "timer outside the clocks",
    pattern: /\b(?:setTimeout|setInterval|setImmediate|MessageChannel)\b/,
    sample: "globalThis.setTimeout(wake, 0);",
    except: ["clock", "shared_timers", "turn"],
  },
  {
    what: "signal made by the platform",
    pattern: /\bAbortSignal\s*\.\s*(?:any|timeout)\b/,
    sample: "const signal = AbortSignal.any([own, other]);",
  },
  {
    what: "feature that a runtime we serve lacks",
    pattern: new RegExp(
      "\\bPromise\\.(?:withResolvers|try)\\b|\\bArray\\.fromAsync\\b|\\bTemporal\\b|" +
        "DisposableStack\\b|\\busing\\s+\\w|^\\s*@\\w",
      "m",
    ),
    sample: "  using clock = new TestClock();",
  },
  {
    what: "non-null assertion",
    pattern: /[\w$)\]]!(?!=)/,
    sample: "return heap[0]!.at;",
  },
  {
    what: "private keyword",
    pattern: /\bprivate\b/,
    sample: "private readonly clock: Clock;",
  },
  { what: "enum", pattern: /\benum\b/, sample: "const enum Phase { trying }" },
  {
    what: "default export",
    pattern: /\bexport\s+default\b|\bas\s+default\b/,
    sample: "export default asyncbackoff;",
  },
];

for (const { what, pattern, sample, within = "code", except = [] } of rules) {
  Deno.test(`src/ and mod.ts hold no ${what}`, () => {
    assertMatch(sourceOf("sample", sample)[within], pattern);
    for (const file of all) {
      if (except.includes(file.name)) continue;
      assertEquals(file[within].match(pattern)?.[0], undefined, file.name);
    }
  });
}

/** The lines that hold `any` though no comment on them or before them allows it. */
function linesWithAny({ text, code }: Source): string[] {
  const lines = text.split("\n");
  const allows = (line: number) =>
    /deno-lint-ignore\b.*\bno-explicit-any\b/.test(lines[line] ?? "");
  const isWrong = (line: string, index: number) =>
    /\bany\b/.test(line) && !allows(index) && !allows(index - 1);
  return code.split("\n").filter(isWrong);
}

Deno.test("src/ and mod.ts hold no any without a comment that allows it", () => {
  const sample = "// deno-lint-ignore no-explicit-any\nlet a: any;\nlet b: any; // any\n";
  assertEquals(linesWithAny(sourceOf("sample", sample)), ["let b: any; "]);
  assertEquals(all.flatMap(linesWithAny), []);
});

Deno.test("src/ keeps each file to 360 lines", () => {
  const long = sources.filter(({ text }) => text.split("\n").length - 1 > 360);
  assertEquals(long.map(({ name }) => name), []);
});
