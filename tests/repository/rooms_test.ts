// The rooms of src/ and the directions of their imports, which are read as text.

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** The rooms of the core. Each may import the rooms that stand before it. */
const CORE = ["realm", "check", "engine", "time", "policy", "driver", "notation"];

/** The other rooms, and the rooms that each may import. Types may come from the whole core. */
const LEAVES: Record<string, string[]> = {
  pauses: ["check", "time"],
  budget: ["check", "time"],
  testing: ["realm", "check", "time"],
  timeline: CORE,
  http: [...CORE, "pauses"],
  context: ["realm", "node:async_hooks"],
  guards: [...CORE, "pauses", "budget"],
  simulate: [...CORE, "pauses", "testing", "timeline"],
  stream: CORE,
};

/** The types of these rooms are part of the core's options. */
const TYPES_OF_OPTIONS = ["budget"];

async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (isDirectory) paths.push(...await filesIn(`${folder}${name}/`));
    else if (/\.(ts|js|mjs)$/.test(name)) paths.push(folder + name);
  }
  return paths;
}

const IMPORT = /^(?:import|export) (type )?(?:[*{\w][^;]*? from )?"([^"]+)";$/gm;

/** Each import in a folder: the file, the path or name that it imports, and whether it imports types only. */
async function importsIn(folder: string) {
  const imports = (await filesIn(folder)).map(async (file) => {
    const text = await Deno.readTextFile(new URL(file, root));
    const code = text.replace(/^ *\/\*\*[^]*?\*\/$/gm, "");
    return Array.from(code.matchAll(IMPORT), ([, type, from = ""]) => ({
      file,
      path: from.startsWith(".")
        ? new URL(from, new URL(file, root)).href.slice(root.href.length)
        : from,
      isType: type !== undefined,
    }));
  });
  return (await Promise.all(imports)).flat();
}

const roomOf = (path: string) => /^src\/(\w+)\/\w+\.ts$/.exec(path)?.[1] ?? path;

const imports = await importsIn("src/");

Deno.test("src/ imports in the directions of its rooms, and nothing from outside", () => {
  assert(imports.length > 50);
  const wrong = imports.filter(({ file, path, isType }) => {
    const [room, imported] = [roomOf(file), roomOf(path)];
    const before = CORE.slice(0, Math.max(0, CORE.indexOf(room)));
    const rooms = [room, ...LEAVES[room] ?? before];
    if (isType) rooms.push(...room in LEAVES ? CORE : TYPES_OF_OPTIONS);
    return !rooms.includes(imported);
  });
  assertEquals(wrong, []);
});

Deno.test("src/ imports a module of a platform in src/context/ alone", () => {
  const platform = imports.filter(({ path }) => path.includes(":"));
  assertEquals(platform, [
    { file: "src/context/follow_attempts.ts", path: "node:async_hooks", isType: false },
  ]);
});

Deno.test("mod.ts and the entry points re-export by name and do nothing else", async () => {
  for (
    const file of [
      "mod.ts",
      ...Object.keys(LEAVES).map((room) => `src/${room}/mod.ts`),
    ]
  ) {
    const text = await Deno.readTextFile(new URL(file, root));
    const rest = text.replace(/\/\*\*[^]*?\*\//g, "")
      .replace(/^export (?:type )?\{[^{}]*\} from "\.\/[\w/]+\.ts";$/gm, "");
    assertEquals(rest.trim(), "", file);
  }
});

Deno.test("tests/ does not import tools/, and tools/ does not import tests/", async () => {
  const both = [...await importsIn("tests/"), ...await importsIn("tools/")];
  assert(both.length > 100);
  const wrong = both.filter(({ file, path }) =>
    path.startsWith(file.startsWith("tests/") ? "tools/" : "tests/")
  );
  assertEquals(wrong, []);
});

Deno.test("src/ is imported by its entry points, except by tests of its insides", async () => {
  const folders = ["tests/", "tools/", "bench/", "examples/"];
  const all = (await Promise.all(folders.map(importsIn))).flat();
  const inside = all.filter(({ path }) => path.startsWith("src/"));
  assert(inside.length > 5);
  const mayLookInside = /^tests\/(unit|properties|published|support\/std)\//;
  assertEquals(inside.filter(({ file }) => !mayLookInside.test(file)), []);
});

Deno.test("The exports of the core have names of their own, because the npm package joins them in one module", async () => {
  const owners = new Map<string, string[]>();
  for (const room of CORE) {
    for await (
      const { name: file } of Deno.readDir(new URL(`../../src/${room}`, import.meta.url))
    ) {
      const text = await Deno.readTextFile(
        new URL(`../../src/${room}/${file}`, import.meta.url),
      );
      const exported = text.matchAll(
        /^export (?:async )?(?:function|const|class|let) (\w+)/gm,
      );
      for (const name of new Set([...exported].map(([, name = ""]) => name))) {
        owners.set(name, [...owners.get(name) ?? [], `${room}/${file}`]);
      }
    }
  }
  assert(owners.size > 50, `there are ${owners.size} exports`);
  assertEquals([...owners].filter(([, files]) => files.length > 1), []);
});
