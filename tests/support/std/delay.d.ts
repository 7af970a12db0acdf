// The part of @std/async that the tests use, typed: deno-std on npm has no types.

export function delay(
  ms: number,
  options?: { signal?: AbortSignal; persistent?: boolean },
): Promise<void>;
