// What came of the tests in a place that is no process.

import { countTests, type TestModule } from "../../support/bundle.ts";
import type { Lab } from "../../support/project.ts";

/** How many tests passed, and what is to be read of those that did not. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

/**
 * Prints what came of the tests in a place, and which stayed out of it.
 *
 * @throws {Error} If one failed, or none ran.
 */
export async function conclude(
  place: string,
  { passed, failures }: Outcome,
  lab: Lab,
  outside: readonly TestModule[],
): Promise<void> {
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${place}: ${passed} passed, ${failures.length} failed`);
  for (const module of outside) {
    const [count, missing] = [await countTests(lab, module), module.builtins.join(", ")];
    console.log(`${place}: ${module.path} stays out (${count} tests), it needs ${missing}`);
  }
  if (failures.length > 0 || passed === 0) {
    throw new Error(`The tests do not pass in ${place}`);
  }
}
