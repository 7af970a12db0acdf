/**
 * A policy and a world as a test.
 *
 * @module
 */

import { NAMES } from "./options.ts";
import type { OptionTexts } from "./policy.ts";
import { printOptions } from "./notation/print.ts";

/** The names that the notation knows, by the entry point that exports them. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  "": ["decorrelated", "exponential", "linear", "TimeoutError"],
  "/budget": ["RetryBudget", "TokenBudget"],
  "/simulate": ["lognormal", "simulate"],
};

/**
 * Writes a test of a policy in a world.
 *
 * @param options The texts of the options.
 * @param world The text of the world.
 * @returns A program for `deno test`, or for another runner with an `assert`.
 */
export function writeTest(options: OptionTexts, world: string): string {
  const given = NAMES.map((name) => [name, options[name] ?? ""] as const)
    .filter(([, text]) => text !== "");
  const body = `const policy = ${printOptions(given)} as const;
const world = ${world.trim()};
const result = await simulate(policy, world);

assert(result.answeredWithin(2000) >= 0.999);
`;
  const imports = Object.entries(EXPORTS).flatMap(([entry, names]) => {
    const used = names.filter((name) => new RegExp(`\\b${name}\\(`).test(body));
    return used.length === 0
      ? []
      : [`import { ${used.join(", ")} } from "@asyncbackoff/asyncbackoff${entry}";`];
  });
  return [...imports, 'import { assert } from "@std/assert";', "", body].join("\n");
}
