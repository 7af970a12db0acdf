// The program of program.js as an ES module and as CommonJS, and what it must print.

import { pathOf } from "../../support/run.ts";

/** A folder of a project for each format. It holds the program, and a manifest. */
export const FORMATS = ["esm", "cjs"] as const;

/** A format of modules. */
export type Format = typeof FORMATS[number];

/** The line that the program prints. */
export const EXPECTED: string = JSON.stringify({
  value: "up",
  elapsed: 50 + 100 + 200,
  heads: [
    "RangeError: not yet",
    "TimeoutError: An anonymous function reached its attempt timeout of 50 ms",
  ],
  isTimeoutError: [false, true],
  lines: 5,
  calls: 3,
  previewed: 100 + 200,
  retryAfter: 120_000,
  isOneCore: true,
});

/**
 * Writes the program of each format into a folder.
 *
 * @param folder A project in which the package is installed.
 */
export async function writePrograms(folder: string): Promise<void> {
  const program = await Deno.readTextFile(pathOf("tests/runtimes/bundlers/program.js"));
  const programs: Record<Format, [type: string, code: string]> = {
    esm: ["module", program],
    cjs: ["commonjs", withRequire(program)],
  };
  for (const format of FORMATS) {
    const [type, code] = programs[format];
    await Deno.mkdir(`${folder}/${format}`);
    await Deno.writeTextFile(`${folder}/${format}/package.json`, JSON.stringify({ type }));
    await Deno.writeTextFile(`${folder}/${format}/program.js`, code);
  }
}

function withRequire(program: string): string {
  const lines = /^import (\{[^}]*\}) from ("[^"]*");$/gm;
  const required = program.replace(
    lines,
    (_, names: string, path: string) =>
      `const ${names.replaceAll(" as ", ": ")} = require(${path});`,
  );
  if (/^import\b/m.test(required)) {
    throw new Error(
      `Cannot make a program with 'require': an import is left:\n${required}`,
    );
  }
  return required;
}
