// @std/async/delay where only the npm registry can be reached: the same code, packed for npm.

// @ts-types="./delay.d.ts"
export * from "npm:deno-std@1.4.0/async/delay.js";
