// Prints the flags with which the packages of @std are found: none where jsr.io answers,
// else those that take the same code from npm. Tasks put them into their commands.

const specifier = "jsr:@std/assert@^1"; // a variable, so that it is not resolved beforehand
const isReached = await Promise.race([
  import(specifier).then(() => true, () => false),
  new Promise<false>((resolve) => setTimeout(() => resolve(false), 5000)),
]);
if (!isReached) console.log("--import-map=tests/support/std/import_map.json");
Deno.exit();
