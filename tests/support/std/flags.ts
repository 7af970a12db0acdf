// Prints the flags that tasks need to import the packages of @std: none if jsr.io answers,
// otherwise an import map that takes the same code from npm.

const specifier = "jsr:@std/assert@^1"; // a variable, so that Deno does not resolve it at load
const isReached = await Promise.race([
  import(specifier).then(() => true, () => false),
  new Promise<false>((resolve) => setTimeout(() => resolve(false), 5000)),
]);
if (!isReached) console.log("--import-map=tests/support/std/import_map.json");
Deno.exit();
