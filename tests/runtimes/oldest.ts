// The unit tests in the oldest Deno that is supported, or in the version that is named; it
// comes from npm. It knows fewer settings than ours has, so it is given those that it needs.

import { pathOf, run } from "../../tools/package.ts";

const VERSION = Deno.args[0] ?? "2.0.0";
/**
 * `delay`, as packed for npm, hands a number to that Deno's `clearTimeout` of Node; and what
 * the repository holds is not copied.
 */
const LEFT_OUT = ["types_test.ts", "repository_test.ts"];

const root = new URL("../../", import.meta.url);
const folder = await Deno.makeTempDir({ prefix: "asyncbackoff-" });
try {
  const paths = ["mod.ts", "deno.json", "README.md", "src", "tests", "tools"].map(pathOf);
  await run("cp", ["-r", ...paths, folder]);
  const { name, version, exports, compilerOptions } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const settings = { name, version, exports, compilerOptions, lock: false };
  const config = `${folder}/oldest.json`; // deno.json stays what the tests read
  await Deno.writeTextFile(config, JSON.stringify(settings));
  await Deno.writeTextFile(`${folder}/package.json`, "{}");
  await run("npm", ["install", "--silent", "--no-save", `deno@${VERSION}`], {
    cwd: folder,
  });
  const flags = ["--config", config, "--import-map", "tests/support/std/import_map.json"];
  const ignored = LEFT_OUT.map((file) => `tests/${file}`).join(",");
  const output = await run(
    `${folder}/node_modules/.bin/deno`,
    ["test", ...flags, `--ignore=${ignored}`, "--allow-read=.", "tests/"],
    { cwd: folder, env: { NO_COLOR: "1" } },
  );
  const passed = /(\d+) passed \| 0 failed/.exec(output)?.[0];
  if (passed === undefined || passed.startsWith("0 ")) {
    throw new Error(`Deno ${VERSION} ran no test:\n${output}`);
  }
  console.log(`deno@${VERSION}: ${passed}; left out: ${LEFT_OUT.join(", ")}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
