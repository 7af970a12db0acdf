// A temporary project in which the package is installed from its tarball, as users install
// it.

import { root, run } from "./run.ts";

/** A temporary project, and a way to run commands in it. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** The path of the package that is installed. */
  readonly tarball: string;
  /** Runs a command in the project, and returns the text that it printed. */
  run(
    command: string,
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<string>;
}

/** Makes a project with the package and other packages from npm. */
export async function makeProject(...packages: readonly string[]): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
  const tarball = await makePackage(folder);
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, type: "module" }),
  );
  const project: Project = {
    folder,
    tarball,
    run: (command, args, env = {}) => run(command, args, { cwd: folder, env }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  await project.run("npm", ["install", ...quiet, tarball, ...packages]);
  return project;
}

/** Makes the npm package in a folder, and returns the path of its tarball. */
async function makePackage(folder: string): Promise<string> {
  const args = ["run", "-q", "-A", "tools/package.ts", "--once", `--to=${folder}`];
  const printed = await run(Deno.execPath(), args, { cwd: root });
  const path = /^.+\.tgz$/m.exec(printed)?.[0];
  if (path === undefined) throw new Error(`tools/package.ts printed no path:\n${printed}`);
  return path;
}
