// The mutants that no test can kill, since the library does the same with them, or that none
// should. One that is listed and does not survive makes `deno task mutants` fail.

/** Mutants that survive for one reason. */
export interface Equivalent {
  readonly why: string;
  /** For each file of src/, what they make of it: `original -> replacement`. */
  readonly mutants: Readonly<Record<string, readonly string[]>>;
}

export const equivalents: readonly Equivalent[] = [];
