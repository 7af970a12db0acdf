// A temporary folder in which the package is installed as its users install it.

import { pack, run } from "../../tools/package.ts";

/** The folder of a lab, and how to run something in it. */
export interface Lab extends AsyncDisposable {
  readonly folder: string;
  /** The package that is installed. */
  readonly tarball: string;
  /** Runs a command in the lab, and tells what it printed. */
  run(
    command: string,
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<string>;
}

/** Makes a lab with the package and whatever else from npm. */
export async function makeLab(...packages: readonly string[]): Promise<Lab> {
  const tarball = await pack();
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, type: "module" }),
  );
  const lab: Lab = {
    folder,
    tarball,
    run: (command, args, env = {}) => run(command, args, { cwd: folder, env }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  await lab.run("npm", ["install", ...quiet, tarball, ...packages]);
  return lab;
}
