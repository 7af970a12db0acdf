// A process exits promptly when nothing is in flight, and stays alive while something is.
// Each fixture runs as a process of its own, on the installed npm package, in Node, Deno
// and Bun.

import { makeProject } from "../support/project.ts";

/** A process, and what is expected of it. */
interface Fixture {
  readonly name: string;
  readonly code: string;
  /** The line that it prints. */
  readonly prints: string;
  /** The shortest and the longest time that it may run, in ms. */
  readonly min: number;
  readonly max: number;
}

const fixtures: readonly Fixture[] = [
  {
    name: "exits after a success with limits of a minute",
    code: `console.log(await limited(() => Promise.resolve("done"))())`,
    prints: "done",
    min: 0,
    max: 5000,
  },
  {
    name: "exits after a call of three turns",
    code: `console.log(await limited(() => turns(3))())`,
    prints: "turned",
    min: 0,
    max: 5000,
  },
  {
    name: "exits after a failure",
    code: `console.log(await limited(async () => { throw "down" })().catch((e) => e))`,
    prints: "down",
    min: 0,
    max: 5000,
  },
  {
    name: "exits after an abort",
    code: `const { signal } = controller;
        const result = new Backoff({ ...minute, signal }).execute(() => new Promise(() => {}));
        setTimeout(() => controller.abort("enough"), 20);
        console.log(await result.catch((e) => e))`,
    prints: "enough",
    min: 0,
    max: 5000,
  },
  {
    name: "exits after a thousand calls at once",
    code: `const call = limited((n) => turns(n % 7));
        await Promise.all(Array.from({ length: 1000 }, (_, n) => call(n)));
        console.log("all")`,
    prints: "all",
    min: 0,
    max: 5000,
  },
  {
    name: "stays until an attempt timeout",
    code: `console.log((await new Backoff({ attemptTimeout: 300, maxTries: 1 })
        .execute(() => new Promise(() => {})).catch((e) => e)).limit)`,
    prints: "attempt",
    min: 300,
    max: 6000,
  },
  {
    name: "stays through pauses after a thousand other calls have ended",
    code: `const call = limited(() => turns(2));
        await Promise.all(Array.from({ length: 1000 }, () => call()));
        let attempts = 0;
        const late = new Backoff({ ...minute, pause: 150, exceptions: "all" });
        console.log(await late.execute(() => { if (++attempts < 3) throw "down"; return "up" }))`,
    prints: "up",
    min: 300,
    max: 6000,
  },
];

const head = `import { Backoff } from "@asyncbackoff/asyncbackoff";
const minute = { attemptTimeout: 60_000, deadline: 60_000 };
const limited = new Backoff(minute).wrap;
const controller = new AbortController();
const turns = async (n) => {
  while (n-- > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  return "turned";
};
`;

await using project = await makeProject("bun@1.4");
const runtimes: [name: string, command: string, args: string[]][] = [
  ["Node", "node", []],
  ["Deno", Deno.execPath(), ["run", "-q"]],
  ["Bun", `${project.folder}/node_modules/.bin/bun`, []],
];
let count = 0;
for (const [runtime, command, args] of runtimes) {
  for (const { name, code, prints, min, max } of fixtures) {
    const file = `${project.folder}/fixture.mjs`;
    await Deno.writeTextFile(file, `${head}${code};\n`);
    const beganAt = performance.now();
    const printed = await project.run(command, [...args, file]);
    const took = performance.now() - beganAt;
    const isValid = printed.trim() === prints && took >= min && took <= max;
    console.log(`${runtime} ${name}: ${took.toFixed(0)} ms`);
    if (!isValid) throw new Error(`${runtime}: "${name}" printed ${printed} in ${took} ms`);
    count++;
  }
}
console.log(`${count} processes exited as expected`);
