// @std/assert where only the npm registry can be reached: the same code, packed for npm.

// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
