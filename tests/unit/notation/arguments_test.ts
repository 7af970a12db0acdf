// Options by position and by name, and arguments in a wrong place.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  mergeOptions,
  misplaced,
  refuseUncalled,
} from "../../../src/notation/arguments.ts";
import { OPTION_NAMES } from "../../../src/policy/options.ts";

const USAGE = "wrap(pause, options?)";

Deno.test("mergeOptions() has every option, by position or by name, and null for the others", () => {
  const merged = mergeOptions(USAGE, { pause: 100, deadline: undefined }, {
    grace: 5,
    deadline: 0,
    pause: null,
  });
  const none = Object.fromEntries(OPTION_NAMES.map((name) => [name, null]));
  assertEquals(merged, { ...none, pause: 100, grace: 5, deadline: 0 });
});

Deno.test("mergeOptions() throws TypeError when an option is given twice, even as 0", () => {
  const merge = () => mergeOptions(USAGE, { pause: 0 }, { pause: 100 });
  const { message } = assertThrows(merge, TypeError);
  const rule = "'pause' must be given once, got it by position and by name";
  assertEquals(message, `Cannot call '${USAGE}': ${rule}`);
});

Deno.test("mergeOptions() throws TypeError when an option by name is unknown, or there are none", () => {
  const unknown = () => mergeOptions(USAGE, {}, { retries: 3 });
  assertThrows(unknown, TypeError, "Cannot make a policy: unknown option 'retries'");
  const wrong = () => mergeOptions(USAGE, {}, 3);
  assertThrows(wrong, TypeError, "Cannot make a policy: the options must be an object");
});

Deno.test("misplaced() makes a TypeError with the usage", () => {
  const error = misplaced(USAGE, "it takes one argument, got 2");
  assertStrictEquals(error.constructor, TypeError);
  assertEquals(error.message, `Cannot call '${USAGE}': it takes one argument, got 2`);
});

Deno.test("refuseUncalled() throws TypeError with the way out when it gets a function or a method", () => {
  for (const args of [[], [null], [3], [3, {}], [{}], [3, 5, "load"]]) {
    refuseUncalled(USAGE, args);
  }
  const method = { value: () => {} };
  const refused: [readonly unknown[], string][] = [
    [[function load() {}], "function load"],
    [[function load() {}, { kind: "method" }], "function load"],
    [[{}, "load", method], "an object (Object)"],
    [[{}, Symbol("load"), method], "an object (Object)"],
  ];
  for (const [args, got] of refused) {
    const { message } = assertThrows(() => refuseUncalled(USAGE, args), TypeError);
    assertEquals(
      message,
      `Cannot call '${USAGE}': it must be called before it wraps a function, got ${got}; ` +
        "write 'wrap(…)(fn)', or '@wrap(…)' before a method",
    );
  }
});
