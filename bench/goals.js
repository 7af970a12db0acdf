// The goals, as ratios of two medians of one run, for Node, Deno and Bun. If a goal is not
// reached, the ratio that is reached is listed beside it, so that `bench:check` can report a
// step back. It fails only if a goal is missed.

const goal = (name, ratio, max, reached = max) => ({ name, ratio, max, reached });
const of = (name, who = "asyncbackoff") => (results) => results[name][who].median;
const LOOP = "hand-written loop";
const TIMER = "hand-written setTimeout, clearTimeout";
const OTHERS = /^(?!asyncbackoff|bare|hand|three)/;

const bestOther = (results, name) =>
  Math.min(
    ...Object.entries(results[name]).filter(([who]) => OTHERS.test(who)).map(([, r]) =>
      r.median
    ),
  );

/** A goal is reached if the ratio is at most the number of the runtime. */
export const goals = [
  goal(
    "A / hand-written loop",
    (r) => of("A")(r) / of("A", LOOP)(r),
    [2.2, 3.5, 2.2],
    [2.5, 4.8, 3.2],
  ),
  goal("C / bare await", of("C"), [7, 16, 10], [10, 19, 13]),
  goal("C / A", (r) => of("C")(r) / of("A")(r), [1.5, 1.5, 1.5], [1.7, 1.5, 1.5]),
  goal(
    "C / hand-written timer",
    (r) => of("C")(r) / of("C", TIMER)(r),
    [0.67, 0.1, 0.67],
    [1, 0.3, 1.6],
  ),
  goal(
    "C / fastest other library",
    (r) => of("C")(r) / bestOther(r, "C"),
    [0.05, 0.05, 0.143],
  ),
  goal("I100 / bare", of("I100"), [2.2, 1.7, 2.2], [2.6, 2.3, 2.2]),
  goal(
    "I100 / hand-written timer",
    (r) => of("I100")(r) / of("I100", TIMER)(r),
    [1, 1, 1],
    [1.6, 1, 1.3],
  ),
  goal("D / bare turn", of("D"), [4, 4, 4]),
  goal(
    "D / loop by setTimeout(0)",
    (r) => of("D")(r) / of("D", LOOP)(r),
    [0.00334, 0.00334, 0.00334],
  ),
];

/** The goals that `bench:check` checks: A, C and I100, without other libraries. */
export const gated = goals.filter(({ name }) =>
  /^(A|C|I100) /.test(name) && !/library/.test(name)
);

const column = (runtime) =>
  ["node", "deno", "bun"].findIndex((each) => runtime.startsWith(each));

/** The goal in a runtime. */
export const maxOf = ({ max }, runtime) => max[column(runtime)];

/** The ratio that is reached in a runtime: the goal, or a larger one. */
export const reachedIn = ({ reached }, runtime) => reached[column(runtime)];
