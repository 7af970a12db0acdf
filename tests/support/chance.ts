// Random numbers that are the same in each run.

/** Numbers from 0 to below 1, determined by a seed: the generator "mulberry32". */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from the normal distribution, by Box and Muller. */
export function normal(random: () => number, mean: number, deviation: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * random());
}

/** The mean of some numbers. */
export function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

/** One of some names, each with its share in percent, by a number from 0 to below 1. */
export function oneOf<Name extends string>(
  shares: Readonly<Record<Name, number>>,
  chance: number,
): Name {
  let rest = chance * 100;
  for (const name of Object.keys(shares) as Name[]) {
    rest -= shares[name];
    if (rest < 0) return name;
  }
  throw new Error("Cannot choose a name: the shares must add up to 100");
}
