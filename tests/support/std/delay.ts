// Replaces @std/async/delay where jsr.io is out of reach, by the same code as packed for npm.

// @ts-types="./delay.d.ts"
export * from "npm:deno-std@1.4.0/async/delay.js";
