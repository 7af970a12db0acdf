/**
 * Pauses that grow from failure to failure, with jitter, and their preview.
 *
 * @example Planning a deadline
 * ```ts
 * import { exponential, preview } from "@asyncbackoff/asyncbackoff/pauses";
 * import { assertEquals } from "@std/assert";
 *
 * const { sum } = preview(exponential({ initial: 100, max: 1000 }), 5);
 *
 * assertEquals(sum.max, 1500); // 100 + 200 + 400 + 800
 * ```
 *
 * @module
 */

export {
  decorrelated,
  type DecorrelatedOptions,
  exponential,
  type ExponentialOptions,
  type GrowingPause,
  type Jitter,
  linear,
  type LinearOptions,
  type PauseBasis,
} from "./growing.ts";
export { type PausePreview, preview, type PreviewedPause, type Spread } from "./preview.ts";
