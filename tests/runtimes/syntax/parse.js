// Parses files by the parsers of Hermes, and compiles them by the Babel presets of React
// Native. The arguments are paths of files. Prints a list of JSON: for each tool its name and a
// message for each file that it does not take, or that has a static block.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(import.meta.url);
const { transformSync } = require("@babel/core");
const isModule = (file) => file.includes("/dist/esm/");

/** Parsers and presets are the aliases under which the project has installed them. */
const PARSERS = ["hermes-parser-0.19", "hermes-parser"];
const PRESETS = ["preset-0.73", "preset"];
/** The presets compile more or less, by the engine that the bundle is made for. */
const PROFILES = ["default", "hermes-stable"];

const tools = [
  ...PARSERS.map((name) => [name, (code, file) => parse(name, code, file)]),
  ...PRESETS.flatMap((name) =>
    PROFILES.map((profile) => [
      `${name}, ${profile}`,
      (code, file) => compile(name, profile, code, file),
    ])
  ),
];

function parse(name, code, file) {
  const sourceType = isModule(file) ? "module" : "script";
  const tree = require(name).parse(code, { sourceType });
  if (JSON.stringify(tree).includes('"type":"StaticBlock"')) {
    throw new Error("The file must have no static block");
  }
}

function compile(name, profile, code, file) {
  transformSync(code, {
    filename: file,
    configFile: false,
    babelrc: false,
    compact: false,
    presets: [[require(name), { unstable_transformProfile: profile }]],
  });
}

function check(use, code, file) {
  try {
    use(code, file);
    return null;
  } catch (error) {
    return error.message;
  }
}

const STATIC_BLOCK = "class Example { static { this.value = 1; } }";
for (const [name, use] of tools) {
  if (check(use, STATIC_BLOCK, "example.js") === null) {
    throw new Error(`Cannot check syntax: ${name} must refuse a static block`);
  }
}

const results = tools.map(([name, use]) => {
  const messages = process.argv.slice(2).map((file) => {
    const message = check(use, readFileSync(file, "utf8"), file);
    return message === null ? null : `${file}: ${message}`;
  });
  return [name, messages.filter((message) => message !== null)];
});
console.log(JSON.stringify(results));
