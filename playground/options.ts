/**
 * Every option of a policy, as a field of the form. An option that is added to the library has to
 * be added here, or the page does not compile.
 *
 * @module
 */

import type { BackoffOptions } from "@asyncbackoff/asyncbackoff";

/** The name of an option. */
export type OptionName = keyof BackoffOptions;

/** A field of the form. */
export interface Field {
  /** The question that the option answers. */
  readonly label: string;
  /** The meaning of the option. */
  readonly doc: string;
  /** The unit that stands after the field. */
  readonly unit?: string;
  /** The text of an empty field: the default. */
  readonly placeholder: string;
  /** Values to choose from: a name, and a text of the notation. */
  readonly choices?: readonly (readonly [name: string, text: string])[];
  /** The reason why the page gives the value itself. */
  readonly given?: string;
}

/** A group of fields, in the order of the form. */
export interface Group {
  readonly title: string;
  readonly names: readonly OptionName[];
}

const EXPONENTIAL = "exponential({ initial: 100, max: 5000 })";

/** The fields of the options. */
export const FIELDS = {
  attemptTimeout: {
    label: "Attempt timeout",
    doc:
      "The longest that one attempt may take. After it, the attempt is aborted and retried.",
    unit: "ms",
    placeholder: "no limit",
  },
  deadline: {
    label: "Deadline",
    doc: "The longest that the whole execution may take, whatever it is doing.",
    unit: "ms",
    placeholder: "no limit",
  },
  pause: {
    label: "Pause",
    doc:
      "The time from the end of an attempt to the start of the next: milliseconds, a list " +
      "of them, or a function of the failure.",
    placeholder: "0",
    choices: [
      ["none", "0"],
      ["fixed", "100"],
      ["a list", "[100, 200, 500]"],
      ["exponential, full jitter", EXPONENTIAL],
      ["exponential, 20 % jitter", "exponential({ initial: 100, max: 5000, jitter: 0.2 })"],
      ["decorrelated", "decorrelated({ initial: 100, max: 5000 })"],
      ["linear", "linear({ initial: 100, step: 100 })"],
      ["as the server asks", "({ error }) => error.retryAfter ?? 500"],
    ],
  },
  minRemaining: {
    label: "Least remaining time",
    doc: "The time that must be left until the deadline after a pause. With less, the " +
      "execution ends at once with the failure's own error.",
    unit: "ms",
    placeholder: "wait for the deadline",
  },
  exceptions: {
    label: "Errors to retry",
    doc: 'Classes in a list, a predicate, or "all". Timeouts are always retried.',
    placeholder: "timeouts only",
    choices: [
      ["all", '"all"'],
      ["timeouts only", "[]"],
      ["some classes", "[TypeError]"],
      ["a predicate", "(error) => error.status !== 404"],
    ],
  },
  until: {
    label: "Accepted results",
    doc: "A predicate of the result. A result that it refuses is retried.",
    placeholder: "every result",
    choices: [["every result", ""], ["a predicate", "(value) => value !== null"]],
  },
  maxTries: {
    label: "Tries",
    doc: "The maximum number of attempts, including the first.",
    placeholder: "no bound",
  },
  giveup: {
    label: "Give up",
    doc: "A predicate of the error and the failure that ends the execution.",
    placeholder: "never",
    choices: [
      ["never", ""],
      ["for some errors", "(error) => error instanceof RangeError"],
      ["after some time", "(error, { elapsed }) => elapsed > 2000"],
    ],
  },
  budget: {
    label: "Budget",
    doc: "A bound on the retries of all executions together.",
    placeholder: "no budget",
    choices: [
      ["no budget", ""],
      [
        "20 % of the executions",
        "new RetryBudget({ retryRatio: 0.2, minRetriesPerSecond: 0 })",
      ],
      ["tokens", "new TokenBudget()"],
    ],
  },
  retryExhausted: {
    label: "Retry exhausted errors",
    doc: "Whether an error is retried that another execution has retried already.",
    placeholder: "true",
    choices: [["yes", "true"], ["no", "false"]],
  },
  idleTimeout: {
    label: "Idle timeout",
    doc: "The longest that an attempt may go on without progress.",
    unit: "ms",
    placeholder: "no limit",
  },
  resetAfter: {
    label: "Reset after",
    doc: "An attempt that fails so long after its first progress begins a new streak.",
    unit: "ms",
    placeholder: "never",
  },
  grace: {
    label: "Grace",
    doc:
      "The time that an attempt gets to wind down after its timeout. A value that arrives " +
      "within it is the result.",
    unit: "ms",
    placeholder: "0",
  },
  signal: {
    label: "Signal",
    doc: "A signal that aborts every execution of the policy.",
    placeholder: "none",
    choices: [["none", ""], ["aborts after a second", "AbortSignal.timeout(1000)"]],
  },
  name: {
    label: "Name",
    doc: "The name in messages, events and failures.",
    placeholder: "the function's name",
  },
  observe: {
    label: "Observer",
    doc: "A function that receives each event.",
    placeholder: "this page",
    given: "This page observes the executions. Give your own in your code.",
  },
  clock: {
    label: "Clock",
    doc: "The source of time.",
    placeholder: "a virtual clock",
    given: "Time is virtual on this page, so nothing waits.",
  },
} as const satisfies Record<OptionName, Field>;

/** The groups of the form. The second one has the options that few policies need. */
export const GROUPS = [
  {
    title: "Limits and retries",
    names: ["attemptTimeout", "deadline", "pause", "exceptions", "maxTries", "budget"],
  },
  {
    title: "More options",
    names: [
      "minRemaining",
      "until",
      "giveup",
      "idleTimeout",
      "resetAfter",
      "grace",
      "retryExhausted",
      "signal",
      "name",
      "observe",
      "clock",
    ],
  },
] as const satisfies readonly Group[];

type Grouped = typeof GROUPS[number]["names"][number];

/** Fails to compile if a group misses an option. */
export const ALL_GROUPED: { readonly [name in Exclude<OptionName, Grouped>]: never } = {};

/** The names of all options, in the order of the form. */
export const NAMES: readonly OptionName[] = GROUPS.flatMap((
  { names },
): readonly OptionName[] => names);

/**
 * Looks up the field of an option.
 *
 * @param name The name of the option.
 * @returns Its field.
 */
export function fieldOf(name: OptionName): Field {
  return FIELDS[name];
}
