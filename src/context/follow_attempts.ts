/**
 * Attempts that are followed through async context.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { realm } from "../realm/realm.ts";

/**
 * Follows every attempt through its async extent, in all copies of the library in the realm.
 * From then on:
 *
 * - `currentAttempt` works anywhere in the function: after each `await`, in timers, in event
 *   handlers, and in helpers that it calls.
 * - An execution that begins there is nested in the attempt, and ends when the attempt is ended
 *   by a limit or an abort. `detached` opts out.
 *
 * Call it once, at the start of the program. Another call changes nothing, and it cannot be
 * undone. It costs one `AsyncLocalStorage`, and a scope for each attempt: docs/nesting.md says
 * how much that is. Libraries leave the decision to the program that uses them.
 *
 * @example A helper that aborts with the attempt in which it is called
 * ```ts ignore
 * import { asyncbackoff, currentAttempt } from "@asyncbackoff/asyncbackoff";
 * import { followAttempts } from "@asyncbackoff/asyncbackoff/context";
 *
 * followAttempts();
 * const get = (url: string) => fetch(url, { signal: currentAttempt().signal });
 * const load = asyncbackoff(1000, 5000)(async (url: string) => {
 *   const list = await get(url);
 *   return await get(await list.text()); // after an `await`
 * });
 * ```
 */
export function followAttempts(): void {
  realm.context ??= new AsyncLocalStorage();
}
