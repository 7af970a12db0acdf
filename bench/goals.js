// What is asked for, as ratios in one run: Node, Deno, Bun. `bench:check` allows a third more.

const goal = (what, ratio, ...most) => ({ what, ratio, most });
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
  goal("A / hand-written loop", (r) => of("A")(r) / of("A", LOOP)(r), 2.2, 3.5, 2.2),
  goal("C / bare await", of("C"), 7, 16, 10),
  goal("C / A", (r) => of("C")(r) / of("A")(r), 1.5, 1.5, 1.5),
  goal("C / hand-written timer", (r) => of("C")(r) / of("C", TIMER)(r), 0.67, 0.1, 0.67),
  goal("C / fastest peer", (r) => of("C")(r) / bestPeer(r, "C"), 0.05, 0.05, 0.143),
  goal("I100 / bare", of("I100"), 2.2, 1.7, 2.2),
  goal("I100 / hand-written timer", (r) => of("I100")(r) / of("I100", TIMER)(r), 1, 1, 1),
  goal("D / bare turn", of("D"), 4, 4, 4),
  goal(
    "D / loop by setTimeout(0)",
    (r) => of("D")(r) / of("D", LOOP)(r),
    0.00334,
    0.00334,
    0.00334,
  ),
];

/** The goals that the gate looks at: A, C and I100 without the peers. */
export const gated = goals.filter(({ what }) =>
  /^(A|C|I100) /.test(what) && !/peer/.test(what)
);

/** Which number of a goal is a runtime's. */
export const column = (runtime) =>
  ["node", "deno", "bun"].findIndex((r) => runtime.startsWith(r));
