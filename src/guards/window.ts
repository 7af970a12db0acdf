/**
 * Two counts over a sliding window, as plain data: how many, and how many of them of a kind.
 * The window is counted in slices, so it needs the same memory whatever it counts, and an event
 * counts for nine to ten tenths of it. If time stands still or goes backwards, nothing leaves.
 *
 * @module
 */

import { holds } from "../check/values.ts";

/** The number of slices of a window. */
export const SLICES = 10;

/** An earlier slice. */
export interface Slice {
  /** The number of the slice, counted from the instant 0. */
  readonly number: number;
  /** The number of events in it. */
  readonly total: number;
  /** The number of those that are of the kind. */
  readonly part: number;
}

/** A window. `total` and `part` count the whole window. Immutable. */
export interface SlidingWindow {
  /** The number of events. */
  readonly total: number;
  /** The number of those that are of the kind. */
  readonly part: number;
  /** The number of the latest slice. */
  readonly slice: number;
  /** The total of the slices before the latest. */
  readonly pastTotal: number;
  /** The number of those that are of the kind. */
  readonly pastPart: number;
  /** The slices before the latest that are in the window and not empty. */
  readonly past: readonly Slice[];
}

/**
 * Makes an empty window.
 *
 * @returns The window.
 */
export function emptyWindow(): SlidingWindow {
  return { total: 0, part: 0, slice: -1e300, pastTotal: 0, pastPart: 0, past: [] };
}

/**
 * Counts events.
 *
 * @param window The window.
 * @param length Its length in milliseconds.
 * @param at The instant.
 * @param total The number of events.
 * @param part The number of those that are of the kind.
 * @returns The window at that instant, with the events.
 */
export function counted(
  window: SlidingWindow,
  length: number,
  at: number,
  total: number,
  part: number,
): SlidingWindow {
  const now = slid(window, length, at);
  return {
    total: now.total + total,
    part: now.part + part,
    slice: now.slice,
    pastTotal: now.pastTotal,
    pastPart: now.pastPart,
    past: now.past,
  };
}

/**
 * Moves a window on to an instant.
 *
 * @param window The window.
 * @param length Its length in milliseconds.
 * @param at The instant.
 * @returns The window at that instant; the same one while its latest slice lasts.
 */
export function slid(window: SlidingWindow, length: number, at: number): SlidingWindow {
  const slice = Math.floor(at * SLICES / length);
  if (slice <= window.slice) return window;
  const latest = {
    number: window.slice,
    total: window.total - window.pastTotal,
    part: window.part - window.pastPart,
  };
  const isIn = ({ number, total, part }: Slice) =>
    number > slice - SLICES && total + part > 0;
  const past = [...window.past, latest].filter(isIn);
  const total = past.reduce((sum, each) => sum + each.total, 0);
  const part = past.reduce((sum, each) => sum + each.part, 0);
  return { total, part, slice, pastTotal: total, pastPart: part, past };
}

/**
 * Moves a window to another scale of time, because the clock began anew.
 *
 * @param window The window.
 * @param length Its length in milliseconds.
 * @param by The difference of the scales, in milliseconds.
 * @returns The window on the other scale, exact to a slice.
 */
export function shifted(window: SlidingWindow, length: number, by: number): SlidingWindow {
  const slices = Math.floor(by * SLICES / length);
  const past = window.past.map((each) => ({ ...each, number: each.number + slices }));
  return { ...window, slice: window.slice + slices, past };
}

const NUMBERS = ["total", "part", "slice", "pastTotal", "pastPart"] as const;

/**
 * Tells whether a value that was read from JSON is a window. A check that throws counts as
 * failed.
 *
 * @param value Any value.
 * @returns Whether it is.
 */
export function isWindow(value: unknown): value is SlidingWindow {
  return holds(() => {
    const window = value as SlidingWindow;
    return NUMBERS.every((name) => Number.isFinite(window[name])) &&
      window.past.every(({ number, total, part }) =>
        Number.isFinite(number + total + part)
      );
  });
}
