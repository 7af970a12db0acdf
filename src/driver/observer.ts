/**
 * Reports one execution to the caller's `observe`, which can change nothing.
 *
 * @module
 */

import type { Done, Failure, Reports, State, Trying } from "../engine/state.ts";
import type { BackoffEvent, OuterAttempt } from "../policy/events.ts";
import { realm } from "../realm/realm.ts";
import type { Clock } from "../time/clock.ts";
import { throwLater } from "../time/platform.ts";
import { readInstant } from "../time/timer.ts";

/** A method for each event, so that an event that is added must be emitted here. */
type Emitter = { [type in BackoffEvent["type"]]: (...args: never[]) => void };

/** Reports one execution to the caller's `observe`. */
export class Observer implements Emitter {
  readonly #observe: (event: BackoffEvent) => void;
  readonly #clock: Clock;
  readonly #execution: number;
  readonly #name: string;
  readonly #outer: OuterAttempt | null;
  #lastAt = -Infinity;

  /**
   * Makes the observer of an execution.
   *
   * @param observe The caller's function.
   * @param clock The clock of the policy.
   * @param execution The number of the execution.
   * @param name The name of the execution.
   * @param outer The attempt that it is nested in; `null` without one.
   */
  constructor(
    observe: (event: BackoffEvent) => void,
    clock: Clock,
    execution: number,
    name: string,
    outer: OuterAttempt | null,
  ) {
    this.#observe = observe;
    this.#clock = clock;
    this.#execution = execution;
    this.#name = name;
    this.#outer = outer;
  }

  attempt({ at, attempts }: Trying): void {
    this.#emit({ ...this.#head("attempt", at), attempt: attempts });
  }

  failure(next: State, failure: Failure): void {
    this.#emit({
      ...this.#head("failure", next.at),
      attempt: failure.attempt,
      failure,
      pauseAfter: next.phase === "pausing" ? next.pause : null,
      ...reportsOf(next),
    });
  }

  late(attempt: number, outcome: PromiseSettledResult<unknown>): void {
    this.#emit({
      ...this.#head("late", this.#instantAfterLast()),
      attempt,
      outcome,
    });
  }

  done(state: Done): void {
    const { at, beganAt, attempts, outcome, reason } = state;
    this.#emit({
      ...this.#head("done", at),
      attempts,
      elapsed: at - beganAt,
      outcome,
      reason,
      ...reportsOf(state),
    });
  }

  /** The fields of every event. */
  #head<Type extends BackoffEvent["type"]>(type: Type, at: number) {
    this.#lastAt = at;
    const [execution, name, outer] = [this.#execution, this.#name, this.#outer];
    return { type, execution, name, at, ...(outer === null ? null : { outer }) };
  }

  /** Falls back to the instant of the last event, because the clock may have failed meanwhile. */
  #instantAfterLast(): number {
    try {
      return Math.max(readInstant(this.#clock), this.#lastAt);
    } catch {
      return this.#lastAt;
    }
  }

  #emit(event: BackoffEvent): void {
    emit(this.#observe, event);
  }
}

/**
 * Passes an event to an observer, which can change nothing, and has no current attempt. An error
 * that it throws is rethrown in a microtask, where it is uncaught.
 *
 * @typeParam Event The type of the event.
 * @param observe The caller's function; `null` for none.
 * @param event The event. It is frozen, and its outcome too.
 */
export function emit<Event extends object>(
  observe: ((event: Event) => void) | null,
  event: Event,
): void {
  if (observe === null) return;
  if ("outcome" in event) Object.freeze(event.outcome);
  const outer = realm.currentAttempt;
  realm.currentAttempt = false;
  try {
    observe(Object.freeze(event));
  } catch (error) {
    throwLater(error);
  } finally {
    realm.currentAttempt = outer;
  }
}

function reportsOf({ reports }: State): { reports?: Reports } {
  return reports === null ? {} : { reports };
}
