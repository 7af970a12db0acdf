/**
 * The order of rows: each nested execution follows the row of the attempt that it is nested in.
 *
 * @module
 */

import type { Row } from "./drawing.ts";
import type { ExecutionRecord } from "./execution_record.ts";

/** An execution that is yet to be drawn, and the number of attempts around it. */
interface Placed {
  readonly record: ExecutionRecord;
  readonly depth: number;
}

/** A nested execution, and the index of the row of its outer attempt. */
interface Nested {
  readonly record: ExecutionRecord;
  readonly at: number;
}

/**
 * Makes the rows of executions.
 *
 * @param executions The executions by their numbers, in the order of their beginning.
 * @param latest The latest instant of the drawing.
 * @returns The rows, in their order.
 */
export function rowsOf(
  executions: ReadonlyMap<number, ExecutionRecord>,
  latest: number,
): Row[] {
  const { roots, nested } = familiesOf(executions);
  const rows: Row[] = [];
  // Not recursive, because executions may be nested deeper than the stack is.
  const pending: (Row | Placed)[] = roots.reverse().map((record) => ({ record, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ("record" in next) pushParts(next, nested.get(next.record) ?? [], latest, pending);
    else rows.push(next);
  }
  return rows;
}

/** Pushes an execution's rows and what is nested in them, the last one first. */
function pushParts(
  { record, depth }: Placed,
  nested: readonly Nested[],
  latest: number,
  pending: (Row | Placed)[],
): void {
  for (const [index, row] of [...record.rows(latest, depth).entries()].reverse()) {
    for (const each of nested.filter(({ at }) => at === index).reverse()) {
      pending.push({ record: each.record, depth: depth + 1 });
    }
    pending.push(row);
  }
}

/** The executions whose outer one is not drawn, and the others by their outer one. */
function familiesOf(executions: ReadonlyMap<number, ExecutionRecord>) {
  const roots: ExecutionRecord[] = [];
  const nested = new Map<ExecutionRecord, Nested[]>();
  for (const [number, record] of executions) {
    const { execution = Infinity, attempt = 0 } = record.outer ?? {};
    // An outer execution has begun before, so there is no circle.
    const outer = execution < number ? executions.get(execution) : undefined;
    if (outer === undefined) {
      roots.push(record);
      continue;
    }
    const inside = nested.get(outer) ?? [];
    nested.set(outer, inside);
    inside.push({ record, at: outer.rowOf(attempt) });
  }
  return { roots, nested };
}
