/**
 * The state of the page in its URL: `#policy=…&world=…&execution=…&step=…`.
 *
 * @module
 */

/** The state of the page. */
export interface PageState {
  readonly policy: string;
  readonly world: string;
  /** The number of the execution that is drawn, from 1. */
  readonly execution: number;
  /** The step that is shown; `null` for the last one. */
  readonly step: number | null;
}

/**
 * Writes a state as the hash of a URL.
 *
 * @param state The state. What is missing is left out.
 * @returns The hash, with its `#`.
 */
export function hashOf(state: Partial<PageState>): string {
  const { policy, world, execution = 1, step = null } = state;
  const parameters = new URLSearchParams();
  if (policy !== undefined) parameters.set("policy", policy);
  if (world !== undefined) parameters.set("world", world);
  if (execution !== 1) parameters.set("execution", `${execution}`);
  if (step !== null) parameters.set("step", `${step}`);
  return `#${parameters}`;
}

/**
 * Reads a state from the hash of a URL. What is wrong or missing is taken from a default.
 *
 * @param hash The hash.
 * @param fallback The default.
 * @returns The state.
 */
export function stateOf(hash: string, fallback: PageState): PageState {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const policy = parameters.get("policy");
  const world = parameters.get("world");
  const number = (name: string, max: number) => {
    const text = parameters.get(name);
    if (text === null || !/^\d{1,9}$/.test(text)) return null;
    return Math.min(Number(text), max);
  };
  return {
    policy: policy ?? fallback.policy,
    world: world ?? fallback.world,
    execution: number("execution", 1e6) ?? (world === null ? fallback.execution : 1),
    step: number("step", 1e4),
  };
}
