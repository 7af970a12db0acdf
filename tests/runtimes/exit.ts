// The process exits as soon as nothing is in flight, and stays while something is: each scene
// is a process of its own, on the installed npm package, in Node, Deno and Bun.

import { makeLab } from "../support/project.ts";

/** What a process does, what it prints, and how long it lives at least and at most, in ms. */
const scenes: {
  what: string;
  code: string;
  prints: string;
  least: number;
  most: number;
}[] = [
  {
    what: "exits after a success with limits of a minute",
    code: `console.log(await limited(() => Promise.resolve("done"))())`,
    prints: "done",
    least: 0,
    most: 5000,
  },
  {
    what: "exits after a call of three turns",
    code: `console.log(await limited(() => turns(3))())`,
    prints: "turned",
    least: 0,
    most: 5000,
  },
  {
    what: "exits after a failure",
    code: `console.log(await limited(async () => { throw "down" })().catch((e) => e))`,
    prints: "down",
    least: 0,
    most: 5000,
  },
  {
    what: "exits after an abort",
    code: `const { signal } = controller;
        const result = new Backoff({ ...minute, signal }).execute(() => new Promise(() => {}));
        setTimeout(() => controller.abort("enough"), 20);
        console.log(await result.catch((e) => e))`,
    prints: "enough",
    least: 0,
    most: 5000,
  },
  {
    what: "exits after a thousand calls at once",
    code: `const call = limited((n) => turns(n % 7));
        await Promise.all(Array.from({ length: 1000 }, (_, n) => call(n)));
        console.log("all")`,
    prints: "all",
    least: 0,
    most: 5000,
  },
  {
    what: "stays until an attempt timeout",
    code: `console.log((await new Backoff({ attemptTimeout: 300, maxTries: 1 })
        .execute(() => new Promise(() => {})).catch((e) => e)).limit)`,
    prints: "attempt",
    least: 300,
    most: 6000,
  },
  {
    what: "stays through pauses, though a thousand others have ended",
    code: `const call = limited(() => turns(2));
        await Promise.all(Array.from({ length: 1000 }, () => call()));
        let tries = 0;
        const late = new Backoff({ ...minute, pause: 150, exceptions: "all" });
        console.log(await late.execute(() => { if (++tries < 3) throw "down"; return "up" }))`,
    prints: "up",
    least: 300,
    most: 6000,
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

await using lab = await makeLab("bun@1.4");
const runtimes: [name: string, command: string, args: string[]][] = [
  ["Node", "node", []],
  ["Deno", Deno.execPath(), ["run", "-q"]],
  ["Bun", `${lab.folder}/node_modules/.bin/bun`, []],
];
let count = 0;
for (const [runtime, command, args] of runtimes) {
  for (const { what, code, prints, least, most } of scenes) {
    const file = `${lab.folder}/scene.mjs`;
    await Deno.writeTextFile(file, `${head}${code};\n`);
    const began = performance.now();
    const printed = await lab.run(command, [...args, file]);
    const took = performance.now() - began;
    const isRight = printed.trim() === prints && took >= least && took <= most;
    console.log(`${runtime} ${what}: ${took.toFixed(0)} ms`);
    if (!isRight) throw new Error(`${runtime}: "${what}" printed ${printed} in ${took} ms`);
    count++;
  }
}
console.log(`${count} processes ended as they must`);
