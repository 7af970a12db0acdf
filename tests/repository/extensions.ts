// Proves that the compiler holds the extension points: each extension is made in a copy of the
// sources as a single line, and must not compile until every file that has to know of it does.
// docs/how_to_add.md must name these files for each of them.

import { assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** An extension: the line of a file that it changes, and the files that must not compile. */
interface Extension {
  readonly name: string;
  readonly file: string;
  readonly line: string;
  readonly becomes: string;
  readonly refusedIn: readonly string[];
}

const extensions: readonly Extension[] = [
  {
    name: "limit",
    file: "src/engine/limit.ts",
    line: '  | "idle";',
    becomes: '  | "idle" | "size";',
    refusedIn: [
      "src/engine/engine.ts",
      "src/engine/limit.ts",
      "src/engine/timeout_error.ts",
      "src/timeline/execution_record.ts",
      "src/timeline/svg.ts",
      "src/timeline/text.ts",
    ],
  },
  {
    name: "engine event",
    file: "src/engine/state.ts",
    line: '  | { readonly type: "aborted"; readonly at: number; readonly reason: unknown }',
    becomes:
      '  | { readonly type: "aborted"; readonly at: number; readonly reason: unknown }\n' +
      '  | { readonly type: "stalled"; readonly at: number }',
    refusedIn: ["src/engine/engine.ts"],
  },
  {
    name: "observed event",
    file: "src/policy/events.ts",
    line: "export type BackoffEvent = AttemptEvent | FailureEvent | LateEvent | DoneEvent;",
    becomes:
      "export type BackoffEvent = AttemptEvent | FailureEvent | LateEvent | DoneEvent\n" +
      '  | ObservedEvent & { readonly type: "paused" };',
    refusedIn: [
      "src/driver/observer.ts",
      "src/simulate/recorder.ts",
      "src/timeline/execution_record.ts",
    ],
  },
  {
    name: "option",
    file: "src/policy/options.ts",
    line: "  grace?: number | null | undefined;",
    becomes: "  grace?: number | null | undefined;\n  tag?: string | null | undefined;",
    refusedIn: ["src/policy/options.ts", "src/policy/policy.ts"],
  },
  {
    name: "jitter",
    file: "src/pauses/growing.ts",
    line: 'export type Jitter = "full" | "equal" | "none";',
    becomes: 'export type Jitter = "full" | "equal" | "none" | "half";',
    refusedIn: ["src/pauses/growing.ts"],
  },
  {
    name: "reason",
    file: "src/engine/state.ts",
    line: '  | "maxTries"',
    becomes: '  | "maxTries" | "silent"',
    refusedIn: [
      "src/driver/statistic.ts",
      "src/policy/policy.ts",
      "src/timeline/execution_record.ts",
    ],
  },
  {
    name: "phase",
    file: "src/engine/state.ts",
    line: "export type Waiting = Trying | Stopping | Pausing;",
    becomes: "export type Waiting = Trying | Stopping | Pausing\n" +
      '  | Progress & { readonly phase: "holding"; readonly wakeAt: number };',
    refusedIn: [
      "src/driver/execution.ts",
      "src/driver/statistic.ts",
      "src/engine/engine.ts",
    ],
  },
];

/** Copies a folder of the repository. */
async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

/** The files of the copy that do not compile. */
async function filesWithErrors(folder: string): Promise<string[]> {
  const entries = [
    "mod.ts",
    "pauses",
    "budget",
    "timeline",
    "testing",
    "http",
    "guards",
    "simulate",
    "context",
    "stream",
  ]
    .map((entry) => entry === "mod.ts" ? entry : `src/${entry}/mod.ts`);
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", ...entries],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  const files = Array.from(text.matchAll(/^ +at file:.*?\/(src\/[\w/]+\.ts):/gm));
  return [...new Set(files.map(([, file = ""]) => file))].sort();
}

const page = await Deno.readTextFile(new URL("docs/how_to_add.md", root));

/** The part of docs/how_to_add.md about an extension. */
function sectionOf(name: string): string {
  const [, section = ""] = page.split(new RegExp(`^## An? ${name}$`, "m"));
  return section.split(/^## /m)[0] ?? "";
}

const folder = await Deno.makeTempDir();
try {
  await copy(new URL("src/", root), `${folder}/src`);
  await Deno.copyFile(new URL("mod.ts", root), `${folder}/mod.ts`);
  await Deno.copyFile(new URL("deno.json", root), `${folder}/deno.json`);
  assertEquals(await filesWithErrors(folder), []);
  for (const { name, file, line, becomes, refusedIn } of extensions) {
    const path = `${folder}/${file}`;
    const text = await Deno.readTextFile(path);
    assertEquals(text.split(`${line}\n`).length, 2, `${file} must hold once: ${line}`);
    await Deno.writeTextFile(path, text.replace(line, becomes));
    const refused = await filesWithErrors(folder);
    await Deno.writeTextFile(path, text);
    assertEquals(refused, refusedIn, `the ${name}`);
    const named = refusedIn.filter((each) => sectionOf(name).includes(each));
    assertEquals(named, refusedIn, `docs/how_to_add.md must name them for the ${name}`);
    console.log(`a new ${name} does not compile in ${refused.join(", ")}`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${extensions.length} passed, 0 failed`);
