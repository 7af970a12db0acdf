/**
 * Random numbers that are the same in each run and in each runtime.
 *
 * @module
 */

/**
 * Makes a source of random numbers: the generator "mulberry32", which uses nothing but integers
 * of 32 bits, so every runtime draws the same numbers.
 *
 * @param seed An integer. Its lowest 32 bits count.
 * @returns A function that draws numbers from 0 to below 1.
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
