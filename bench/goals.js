// What is asked for, as ratios in one run: Node, Deno, Bun; and, where that is not reached, what
// is, so that `bench:check` can tell what is a step back. It fails by what is asked for.

const goal = (what, ratio, most, reached = most) => ({ what, ratio, most, reached });
const of = (name, who = "asyncbackoff") => (results) => results[name][who].median;
const LOOP = "hand-written loop";
const TIMER = "hand-written setTimeout, clearTimeout";
const PEERS = /^(?!asyncbackoff|bare|hand|three)/;

const bestPeer = (results, name) =>
  Math.min(
    ...Object.entries(results[name]).filter(([who]) => PEERS.test(who)).map(([, r]) =>
      r.median
    ),
  );

/** Each is met where the ratio is at most that of the runtime. */
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
    "C / fastest peer",
    (r) => of("C")(r) / bestPeer(r, "C"),
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

/** The goals that the gate looks at: A, C and I100 without the peers. */
export const gated = goals.filter(({ what }) =>
  /^(A|C|I100) /.test(what) && !/peer/.test(what)
);

const column = (runtime) =>
  ["node", "deno", "bun"].findIndex((each) => runtime.startsWith(each));

/** What is asked for in a runtime. */
export const mostOf = ({ most }, runtime) => most[column(runtime)];

/** What holds in a runtime already: what is asked for, or what came near to it. */
export const reachedIn = ({ reached }, runtime) => reached[column(runtime)];
