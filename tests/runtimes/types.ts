// Compiles a strict consumer of the installed npm package with all settings that users
// have, and checks the package with publint and arethetypeswrong. The arguments are
// versions of TypeScript; all supported ones if none is named.

import { makeProject } from "../support/project.ts";

const compilers = Deno.args.length > 0 ? Deno.args : ["5.4", "5", "6", "latest"];
const modules = [
  { module: "esnext", moduleResolution: "bundler" },
  { module: "node16", moduleResolution: "node16" },
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "commonjs", moduleResolution: "node10" },
];
/** The names of the consumer: an ESM file, and a CommonJS file. */
const consumers = ["consumer.mts", "consumer.cts"];
const libraries = [["es2022"], ["es2022", "dom"]];
const decorators = [false, true];

await using project = await makeProject(
  "publint@0.3",
  "@arethetypeswrong/cli@0.18",
  ...compilers.map((version) => `typescript-${version}@npm:typescript@${version}`),
);
for (const name of consumers) {
  await Deno.copyFile(
    new URL("types/consumer.ts", import.meta.url),
    `${project.folder}/${name}`,
  );
}

let compiled = 0;
for (const version of compilers) {
  const tsc = `node_modules/typescript-${version}/bin/tsc`;
  for (const each of modules) {
    // TypeScript 6 deprecates node10, and 7 does not have it.
    if (each.moduleResolution === "node10" && Number.parseInt(version) > 5) continue;
    if (each.moduleResolution === "node10" && version === "latest") continue;
    for (const lib of libraries) {
      for (const experimentalDecorators of decorators) {
        const compilerOptions = {
          ...each,
          lib,
          experimentalDecorators,
          target: "es2022",
          types: [],
          noEmit: true,
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
        };
        const settings = { compilerOptions, files: consumers };
        await Deno.writeTextFile(
          `${project.folder}/tsconfig.json`,
          JSON.stringify(settings),
        );
        await project.run("node", [tsc, "--project", "tsconfig.json"]).catch((error) => {
          throw new Error(`TypeScript ${version}, ${JSON.stringify(settings)}`, {
            cause: error,
          });
        });
        compiled += 1;
      }
    }
  }
  const shown = await project.run("node", [tsc, "--version"]);
  console.log(`TypeScript ${shown.trim().replace("Version ", "")}: ok`);
}
console.log(`${compiled} settings compiled`);

console.log((await project.run("npx", ["publint", "--strict", project.tarball])).trim());
console.log(
  (await project.run("npx", ["attw", project.tarball, "--profile", "strict"])).trim(),
);
