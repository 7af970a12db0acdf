// Checks that options are an object whose every key is known.

import { assertEquals, assertThrows } from "@std/assert";
import {
  checkKeys,
  type Hints,
  isOptions,
  namesOf,
  plain,
} from "../../../src/check/keys.ts";

const KNOWN = ["maxTries", "pause"];

/** The message with which options are refused. */
function messageOf(options: unknown, hints?: Hints): string {
  return assertThrows(() => checkKeys("wait", options, KNOWN, hints), TypeError).message;
}

Deno.test("checkKeys() accepts known keys, of any value", () => {
  for (const options of [{}, { maxTries: 3 }, { pause: undefined, maxTries: null }]) {
    checkKeys("wait", options, KNOWN);
  }
});

Deno.test("checkKeys() lists all options when a key is unknown", () => {
  const message = "Cannot wait: unknown option 'grace', the options are maxTries, pause";
  assertEquals(messageOf({ pause: 1, grace: 1 }), message);
});

Deno.test("checkKeys() suggests an option that differs in case or separators only", () => {
  for (const key of ["maxtries", "MaxTries", "max_tries", "max-tries", " maxTries"]) {
    const message = `Cannot wait: unknown option '${key}', did you mean 'maxTries'?`;
    assertEquals(messageOf({ [key]: 3 }), message);
  }
});

Deno.test("checkKeys() prefers the hint about the key, and falls back where there is none", () => {
  const hints: Hints = {
    key: (key, value) => key === "retries" ? `did you mean ${value}?` : null,
  };
  assertEquals(
    messageOf({ retries: 3 }, hints),
    "Cannot wait: unknown option 'retries', did you mean 3?",
  );
  assertEquals(
    messageOf({ Pause: 3 }, hints),
    "Cannot wait: unknown option 'Pause', did you mean 'pause'?",
  );
});

Deno.test("checkKeys() refuses a value that is not an options object, with a hint if there is one", () => {
  const message = "Cannot wait: the options must be an object, got ";
  assertEquals(messageOf(100), message + "100");
  assertEquals(messageOf([100], { options: () => null }), message + "an array of 1");
  assertEquals(
    messageOf(100, { options: (value) => `try ${value}` }),
    message + "100; try 100",
  );
});

Deno.test("checkKeys() looks at enumerable keys of the object itself only", () => {
  const hidden = Object.defineProperty({ pause: 1 }, "grace", { value: 1 });
  checkKeys("wait", hidden, KNOWN);
  checkKeys("wait", Object.create({ grace: 1, pause: 1 }), KNOWN);
});

Deno.test("namesOf() returns the names of options, in their order", () => {
  const names = namesOf<{ pause?: number; maxTries?: number }>({
    pause: true,
    maxTries: true,
  });
  assertEquals(names, ["pause", "maxTries"]);
});

Deno.test("plain() leaves the letters of a name, in lower case", () => {
  assertEquals(["maxTries", "Max_Tries-2 ", "٣"].map(plain), ["maxtries", "maxtries", ""]);
});

class Settings {
  get pause() {
    return 100;
  }
}

const options: [what: string, value: unknown][] = [
  ["a plain object", {}],
  ["an object without a prototype", Object.create(null)],
  ["an object that inherits an option", new Settings()],
  ["an object of a class that has an option", Object.assign(new Date(), { maxTries: 3 })],
];

for (const [what, value] of options) {
  Deno.test(`isOptions() accepts ${what}`, () => {
    assertEquals(isOptions(value, KNOWN), true);
  });
}

const others: [what: string, value: unknown][] = [
  ["null", null],
  ["undefined", undefined],
  ["a string", "pause"],
  ["a function", () => {}],
  ["an array", [{ pause: 100 }]],
  ["a Map", new Map([["pause", 100]])],
  ["an error", new Error("pause")],
];

for (const [what, value] of others) {
  Deno.test(`isOptions() refuses ${what}`, () => {
    assertEquals(isOptions(value, KNOWN), false);
  });
}

Deno.test("isOptions() refuses an error where 'name' is an option, but not a plain object", () => {
  const known = ["name", ...KNOWN];
  const errors = [new Error(), new DOMException(), new (class extends Error {})()];
  const own = Object.assign(new Error(), { name: "Own" });
  for (const error of [...errors, own]) assertEquals(isOptions(error, known), false);
  assertEquals([isOptions({ name: "load" }, known), isOptions({}, known)], [true, true]);
});
