// Runs the tests in the oldest Deno that is supported, or in the version that is named as
// the argument. That Deno comes from npm. It refuses newer settings of deno.json, so it
// gets a file with the settings that the tests need.

import { pathOf, root, run } from "../support/run.ts";

const VERSION = Deno.args[0] ?? "2.0.0";
/**
 * The tests that cannot run here. `delay`, as packed for npm, calls Node's `clearTimeout`
 * with a number, which that Deno refuses. The tests of the repository need files that are
 * not copied.
 */
const LEFT_OUT = ["behaviour/types_test.ts", "repository"];

const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
try {
  const paths = ["mod.ts", "src", "tests"].map(pathOf);
  await run("cp", ["-r", ...paths, folder]);
  const { name, version, exports, compilerOptions } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const settings = { name, version, exports, compilerOptions, lock: false };
  const config = `${folder}/oldest.json`;
  await Deno.writeTextFile(config, JSON.stringify(settings));
  await Deno.writeTextFile(`${folder}/package.json`, "{}");
  await run("npm", ["install", "--silent", "--no-save", `deno@${VERSION}`], {
    cwd: folder,
  });
  const flags = ["--config", config, "--import-map", "tests/support/std/import_map.json"];
  const ignored = LEFT_OUT.map((path) => `tests/${path}`).join(",");
  const output = await run(
    `${folder}/node_modules/.bin/deno`,
    ["test", ...flags, `--ignore=${ignored}`, "--allow-read=.", "tests/"],
    { cwd: folder, env: { NO_COLOR: "1" } },
  );
  const passed = /(\d+) passed \| 0 failed/.exec(output)?.[0];
  if (passed === undefined || passed.startsWith("0 ")) {
    throw new Error(`Deno ${VERSION} must run at least one test, got:\n${output}`);
  }
  console.log(`deno@${VERSION}: ${passed}; left out: ${LEFT_OUT.join(", ")}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
