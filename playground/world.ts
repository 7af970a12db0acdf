/**
 * The world that a policy runs in: read from text, and checked against what a page can run.
 *
 * @module
 */

import type { World } from "@asyncbackoff/asyncbackoff/simulate";
import { checkWorld } from "../src/simulate/world.ts";
import { evaluate } from "./notation/evaluate.ts";
import { type Node, parseStatement } from "./notation/parse.ts";
import { type PageScope, scopeOn } from "./notation/scope.ts";
import { CodeError } from "./notation/tokens.ts";

/** An option of a world, for the list of options. */
export const WORLD_OPTIONS = {
  executions: "The number of executions that each client begins.",
  clients: "The number of clients. They share the policy and its budget.",
  interval: "Milliseconds between the beginnings of two executions of a client.",
  rate: "Executions per second that each client begins at random, instead of an interval.",
  maxRate: "The highest value of a function 'rate'.",
  latency: "Milliseconds until an answer: a number, or lognormal({ median, p99 }).",
  failureRate: "The share of calls that fail, from 0 to 1.",
  hangRate: "The share of calls that get no answer, from 0 to 1.",
  outages: "Times in which every call fails, or hangs: [{ from, to, hangs }].",
  capacity: "Calls per second that the service works on, one after the other.",
  rateLimit: "Calls that are answered in each window: { calls, window }.",
  script: "The answers to the attempts of an execution: [{ latency, error, value }].",
  error: 'A function that makes the errors: () => new RangeError("busy").',
  service: null,
  seed: "The seed of all random numbers.",
  end: "The instant at which the simulation ends, in milliseconds.",
  maxAttempts: "The number of attempts after which it ends.",
  timelines: null,
} as const satisfies Record<keyof World, string | null>;

/** The most that a page runs, so that it never stops to answer. */
export const MAX_EXECUTIONS = 20_000;
/** The number of attempts of all executions after which a simulation ends. */
export const MAX_ATTEMPTS = 30_000;

/** The latest instant at which a simulation of the page ends. */
export const MAX_END = 7_200_000;

/** A world that was read. */
export interface WorldCode {
  readonly text: string;
  /** Its options, with errors of a class unless it makes its own. */
  world(errorClass: ErrorConstructor): World;
}

/**
 * Reads a world.
 *
 * @param text The options of `simulate`, in `{ }`.
 * @returns The world.
 * @throws {CodeError} If the text is not in the notation, or asks for too much.
 */
export function readWorld(text: string): WorldCode {
  const node = parseStatement(text);
  if (node.type !== "object") {
    throw new CodeError("A world must be an object in { }", text, node.from);
  }
  const scope = scopeOn(null);
  const world = evaluate(node, text, scope) as World;
  checkSize(world, text, node);
  return {
    text,
    world(errorClass) {
      const own = evaluate(node, text, sharing(scope, errorClass)) as World;
      return {
        maxAttempts: MAX_ATTEMPTS,
        error: () => new errorClass("the connection was reset"),
        ...own,
      };
    },
  };
}

/** An error class that the policy names is the same in the world. */
function sharing(scope: PageScope, errorClass: ErrorConstructor): PageScope {
  const { name } = errorClass;
  return {
    ...scope,
    names: new Map([...scope.names, [name, errorClass]]),
    isCallable: (value) => value === errorClass || scope.isCallable(value),
  };
}

function checkSize(world: World, text: string, node: Node & { type: "object" }): void {
  const at = (name: string) =>
    node.properties.find((each) => each.name === name)?.from ?? node.from;
  const { clients, executions, end, rate, maxRate, maxAttempts } = world;
  const isNumber = (value: unknown): value is number => typeof value === "number";
  const count = isNumber(clients) ? clients : 1;
  if (rate !== null && rate !== undefined) {
    const highest = isNumber(rate) ? rate : isNumber(maxRate) ? maxRate : 1;
    const drawn = highest * count * (isNumber(end) ? end : 3_600_000) / 1000;
    if (drawn > MAX_EXECUTIONS) {
      throw new CodeError(
        `The page runs at most ${MAX_EXECUTIONS} executions, got up to ${
          Math.ceil(drawn)
        }: ` +
          "lower 'rate', 'clients' or 'end'",
        text,
        at("rate"),
      );
    }
  } else if (count * (isNumber(executions) ? executions : 1) > MAX_EXECUTIONS) {
    throw new CodeError(
      `The page runs at most ${MAX_EXECUTIONS} executions, got ` +
        `${count * (isNumber(executions) ? executions : 1)}`,
      text,
      at(isNumber(executions) ? "executions" : "clients"),
    );
  }
  if (isNumber(end) && end > MAX_END) {
    throw new CodeError(
      `The page simulates at most two hours, which are ${MAX_END} ms, got ${end}`,
      text,
      at("end"),
    );
  }
  if (isNumber(maxAttempts) && maxAttempts > MAX_ATTEMPTS) {
    throw new CodeError(
      `The page runs at most ${MAX_ATTEMPTS} attempts, got ${maxAttempts}`,
      text,
      at("maxAttempts"),
    );
  }
}

/**
 * Checks a world by the library itself.
 *
 * @param code The world.
 * @param errorClass The class of its errors, unless it makes its own.
 * @returns The world.
 * @throws {CodeError} If the library refuses it. The error is at the option that it names.
 */
export function checkedWorld(code: WorldCode, errorClass: ErrorConstructor): World {
  const world = code.world(errorClass);
  try {
    checkWorld(world);
    return world;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, name = ""] = /option '([^']+)'/.exec(message) ?? [];
    const list = message.includes("outage") ? "outages" : "script";
    const wanted = /(?:outage|answer) \d/.test(message) ? list : name;
    const node = parseStatement(code.text);
    const properties = node.type === "object" ? node.properties : [];
    const from = properties.find((each) => each.name === wanted)?.from ?? node.from;
    throw new CodeError(message, code.text, from);
  }
}
