/**
 * An observer that draws executions, as text and as SVG.
 *
 * @example The timeline of one execution
 * ```ts
 * import { Backoff } from "@asyncbackoff/asyncbackoff";
 * import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
 * import { assertMatch } from "@std/assert";
 *
 * const timeline = new Timeline();
 * await new Backoff({ observe: timeline.observe }).execute(() => "done");
 *
 * assertMatch(`${timeline}`, /1 success/);
 * ```
 *
 * @module
 */

export { type DrawingOptions, Timeline, type TimelineOptions } from "./timeline.ts";
