// Test results from a page or worker, where there is no process to exit.

import { countTests, type TestModule } from "../../support/bundle.ts";
import type { Project } from "../../support/project.ts";

/** The results of tests: how many passed, and a text for each that failed. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

/**
 * Prints the results of the tests in a place, and the modules that cannot run there.
 *
 * @throws {Error} If one failed, or none ran.
 */
export async function conclude(
  place: string,
  { passed, failures }: Outcome,
  project: Project,
  outside: readonly TestModule[],
): Promise<void> {
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${place}: ${passed} passed, ${failures.length} failed`);
  for (const module of outside) {
    const [count, missing] = [
      await countTests(project, module),
      module.builtins.join(", "),
    ];
    console.log(`${place}: ${module.path} left out (${count} tests): it needs ${missing}`);
  }
  if (failures.length > 0 || passed === 0) {
    throw new Error(`The tests must pass in ${place}`);
  }
}
