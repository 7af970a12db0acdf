// Cases A, B, C, D, I1 and I100 in this process; prints JSON. `quick`: fewer rounds and contenders.

import { contenders } from "./contenders.js";
import { compare, hundred, inTurn, turn } from "./measure.js";

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const isQuick = args.includes("quick");
const rounds = isQuick ? 11 : 25;
const FAST = ["asyncbackoff", "hand-written loop", "hand-written loop, setImmediate"]
  .concat("hand-written setTimeout, clearTimeout");

const atOnce = () => Promise.resolve(1);
const twoTurns = () =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(1))));
const failsThrice = () => {
  let calls = 0;
  return () => ++calls % 4 === 0 ? Promise.resolve(1) : Promise.reject(FAILURE);
};
const FAILURE = new Error("busy");

/** The contenders of a case, around a function. */
function of(name, makeFn) {
  const all = Object.entries(contenders)
    .filter(([who, cases]) => name in cases && (!isQuick || FAST.includes(who)))
    .map(([who, cases]) => [who, cases[name](makeFn())]);
  return Object.fromEntries(all);
}

const results = {};
for (const name of ["A", "B", "C"]) {
  const functions = { bare: atOnce, ...of(name, () => atOnce) };
  if (name === "C") {
    functions["hand-written loop"] = contenders["hand-written loop"].A(atOnce);
  }
  results[name] = await compare(functions, inTurn, { rounds });
}
const three = async () => {
  for (let i = 0; i < 3; i++) await turn();
};
results.D = await compare(
  { bare: turn, "three turns": three, ...of("D", failsThrice) },
  inTurn,
  {
    rounds: Math.min(rounds, 11),
    ms: 4,
  },
);
results.I1 = await compare({ bare: twoTurns, ...of("C", () => twoTurns) }, inTurn, {
  rounds,
});
results.I100 = await compare({ bare: twoTurns, ...of("C", () => twoTurns) }, hundred, {
  rounds,
});
console.log(JSON.stringify(results));
globalThis.Deno?.exit(0) ?? process.exit(0);
