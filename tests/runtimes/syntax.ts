// The built files of the npm package have no static block, and no syntax that Hermes and the
// Babel presets of React Native do not take. Both builds load and retry in realms that lack
// something or are frozen.

import { makeProject } from "../support/project.ts";
import { pathOf } from "../support/run.ts";
import { EXPECTED, FORMATS, writePrograms } from "./bundlers/program.ts";

const PACKAGE = "node_modules/@asyncbackoff/asyncbackoff";

/** A realm: how Node makes it, as flags and as code that runs before everything else. */
interface Realm {
  readonly flags?: readonly string[];
  readonly code?: string;
  /** Whether copies of the package share their state, such as the running attempt. */
  readonly isShared: boolean;
}

/** Node defines some globals when they are first read, which fails if `globalThis` is frozen. */
const READ_GLOBALS = "for (const key of Reflect.ownKeys(globalThis)) void globalThis[key];";

const realms: Record<string, Realm> = {
  "a plain realm": { isShared: true },
  "a realm without `performance`": {
    code: "delete globalThis.performance;",
    isShared: true,
  },
  "a frozen `Error.prototype`": { code: "Object.freeze(Error.prototype);", isShared: true },
  "frozen intrinsics": { flags: ["--frozen-intrinsics"], isShared: true },
  "a frozen `globalThis`": { code: "Object.freeze(globalThis);", isShared: false },
  "a frozen `globalThis` whose globals were read": {
    code: `${READ_GLOBALS} Object.freeze(globalThis);`,
    isShared: false,
  },
};

let passed = 0;
let failed = 0;

/** Counts a check, and prints its name and its message, if it has failed. */
function count(name: string, message: string | null): void {
  if (message === null) passed += 1;
  else failed += 1;
  console.log(`${name}: ${message === null ? "ok" : `FAILED\n${message}`}`);
}

await using project = await makeProject(
  "@babel/core@7",
  "@babel/runtime@7",
  "preset-0.73@npm:@react-native/babel-preset@0.73",
  "preset@npm:@react-native/babel-preset@latest",
  // That of React Native 0.74. The one before it takes `this.#a / 2` for a regular expression.
  "hermes-parser-0.19@npm:hermes-parser@0.19",
  "hermes-parser@latest",
  "node24@npm:node@24", // for the presets
);
await checkSyntax();
await writePrograms(project.folder);
for (const [name, realm] of Object.entries(realms)) await checkRealm(name, realm);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) Deno.exit(1);

/** The built files, as paths in the project. */
async function findFiles(): Promise<string[]> {
  const files: string[] = [];
  for (const folder of ["", "dist/esm/", "dist/cjs/"]) {
    for await (const { name } of Deno.readDir(`${project.folder}/${PACKAGE}/${folder}`)) {
      if (name.endsWith(".js")) files.push(`${PACKAGE}/${folder}${name}`);
    }
  }
  return files.sort();
}

async function checkSyntax(): Promise<void> {
  const script = pathOf("tests/runtimes/syntax/parse.js");
  await Deno.copyFile(script, `${project.folder}/parse.js`);
  const node = `${project.folder}/node_modules/node24/bin/node`;
  const files = await findFiles();
  const printed = await project.run(node, ["parse.js", ...files]);
  const results: [name: string, messages: string[]][] = JSON.parse(printed);
  for (const [name, messages] of results) {
    const message = messages.length === 0 ? null : messages.join("\n");
    count(`${files.length} files, ${name}`, message);
  }
}

async function checkRealm(name: string, realm: Realm): Promise<void> {
  for (const format of FORMATS) {
    const printed = await printedIn(realm, `${format}/program.js`);
    const isValid = printed === EXPECTED;
    const message = isValid ? null : `It must print ${EXPECTED}, got:\n${printed}`;
    count(`${format} in ${name} retries`, message);
  }
  const script = pathOf("tests/runtimes/syntax/copies.js");
  await Deno.copyFile(script, `${project.folder}/copies.js`);
  const known = JSON.stringify([true, realm.isShared, realm.isShared]);
  const printed = await printedIn(realm, "copies.js");
  const isValid = printed === `${known}\n${known}`;
  const message = isValid ? null : `Each build must print ${known}, got:\n${printed}`;
  const verb = realm.isShared ? "share" : "do not share";
  count(`both builds in ${name} ${verb} their state`, message);
}

/** Runs a program in a realm. Returns the text that it prints, or its error. */
async function printedIn({ flags = [], code = "" }: Realm, path: string): Promise<string> {
  const prelude = `data:text/javascript,${encodeURIComponent(code)}`;
  const args = [...flags, "--import", prelude, path];
  try {
    return (await project.run("node", args, { NODE_NO_WARNINGS: "1" })).trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
