/**
 * Attempts that are followed through async context: `currentAttempt` works after every `await`,
 * and executions are nested by themselves. The only module of the library that needs
 * `node:async_hooks`, which Node, Deno and Bun have, and Workers with `nodejs_compat`.
 *
 * @example Called once at the start of a program
 * ```ts ignore
 * import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
 *
 * followAttempts();
 * ```
 *
 * @module
 */

export { followAttempts } from "./follow_attempts.ts";
