// Attempts that are followed for the duration of a test, although `followAttempts` cannot be
// undone. The state of the realm is found by its name, as every copy of the library does.

import { followAttempts } from "@asyncbackoff/asyncbackoff/context";

const KEY = Symbol.for("@asyncbackoff/asyncbackoff/realm/2");

/** Calls a function while attempts are followed, and follows none when it has ended. */
export async function whileFollowed<T>(fn: () => T | PromiseLike<T>): Promise<T> {
  const realm = (globalThis as { [KEY]?: { context: unknown } })[KEY];
  if (realm === undefined) throw new Error("Cannot follow attempts: the realm is missing");
  const { context } = realm;
  followAttempts();
  try {
    return await fn();
  } finally {
    // In Node 20, a variable that is not disabled slows down every promise of the process.
    (realm.context as { disable?(): void } | null)?.disable?.();
    realm.context = context;
  }
}
