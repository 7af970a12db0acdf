/**
 * The limits of an execution.
 *
 * @module
 */

/** A limit that ends an attempt, or the whole execution, when it is reached. */
export type Limit =
  /** The deadline: the longest that the whole execution may take. */
  | "deadline"
  /** The attempt timeout: the longest that one attempt may take. */
  | "attempt"
  /** The idle timeout: the longest that an attempt may go on without progress. */
  | "idle";

/** The name of each limit in messages. At one instant, the limit that is named first wins. */
export const LIMIT_NAMES = {
  deadline: "deadline",
  attempt: "attempt timeout",
  idle: "idle timeout",
} as const satisfies Record<Limit, string>;

/** All limits, in the order in which they win at one instant. */
export const LIMITS: readonly Limit[] = /* @__PURE__ */ Object.keys(
  LIMIT_NAMES,
) as Limit[];
