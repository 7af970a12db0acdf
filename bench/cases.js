// Runs the cases A, B, C, D, I1 and I100 in this process, and prints the results as JSON.
// The argument `quick` asks for fewer rounds and contenders.

import { contenders } from "./contenders.js";
import { compare, hundred, inTurn, turn } from "./measure.js";

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const isQuick = args.includes("quick");
const often = isQuick ? { rounds: 11, warmUp: 250 } : { rounds: 25, warmUp: 400 };
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

/** The contenders of a case that work in this runtime, each around a function. */
async function of(name, makeFn) {
  const functions = {};
  for (const [who, cases] of Object.entries(contenders)) {
    if (!(name in cases) || (isQuick && !FAST.includes(who))) continue;
    const call = cases[name](makeFn());
    try {
      await call();
      functions[who] = cases[name](makeFn());
    } catch (error) {
      if (who === "asyncbackoff") throw error;
      console.error(`${who} cannot run case ${name} here: ${error.cause ?? error}`);
    }
  }
  return functions;
}

const results = {};
for (const name of ["A", "B", "C"]) {
  const functions = { bare: atOnce, ...await of(name, () => atOnce) };
  if (name === "C") {
    functions["hand-written loop"] = contenders["hand-written loop"].A(atOnce);
  }
  results[name] = await compare(functions, inTurn, often);
}
const three = async () => {
  for (let i = 0; i < 3; i++) await turn();
};
results.D = await compare(
  { bare: turn, "three turns": three, ...await of("D", failsThrice) },
  inTurn,
  { ...often, rounds: 11, ms: 4 },
);
for (const [name, how] of [["I1", inTurn], ["I100", hundred]]) {
  const functions = { bare: twoTurns, ...await of("C", () => twoTurns) };
  results[name] = await compare(functions, how, often);
}
console.log(JSON.stringify(results));
globalThis.Deno?.exit(0) ?? process.exit(0);
