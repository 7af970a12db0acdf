// Replaces @std/assert where jsr.io is out of reach, by the same code as packed for npm.

// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
