// A simulation compared with a run on the real clock, against a real server on the loopback
// interface. Each attempt of each client has the same answer in both, so attempts, reasons and
// results must be equal, and no real execution may be shorter than its simulation. The lateness
// depends on the machine, so it is printed but not asserted.

import { assert, assertEquals } from "@std/assert";
import { Backoff } from "@asyncbackoff/asyncbackoff";
import { simulate, type SimulatedExecution } from "@asyncbackoff/asyncbackoff/simulate";
import { seeded } from "../support/chance.ts";
import { Tally } from "../support/tally.ts";

const CLIENTS = 300;
/** Clients begin one after the other, so that the machine is not what is measured. */
const INTERVAL = 15;
/** The clock of a platform may be read in whole milliseconds. */
const NOISE = 1.5;

const policy = {
  attemptTimeout: 2500,
  deadline: 20_000,
  maxTries: 4,
  pause: [100, 200],
  exceptions: "all",
  minRemaining: 0,
} as const;

/** The answer to an attempt of a client. */
interface Answer {
  readonly kind: "value" | "failure" | "none";
  readonly latency: number;
}

function answerTo(client: number, attempt: number): Answer {
  const random = seeded(client * 100 + attempt);
  const drawn = random();
  const kind = drawn < 0.5 ? "value" : drawn < 0.85 ? "failure" : "none";
  return { kind, latency: 20 + Math.floor(random() * 80) };
}

/** The part of an execution that must be equal. */
type Result = Pick<SimulatedExecution, "attempts" | "reason"> & { readonly value: string };

const resultOf = (
  { attempts, reason, outcome }: Pick<
    SimulatedExecution,
    "attempts" | "reason" | "outcome"
  >,
): Result => ({
  attempts,
  reason,
  value: outcome?.status === "fulfilled" ? String(outcome.value) : String(outcome?.reason),
});

async function simulated(): Promise<readonly SimulatedExecution[]> {
  const { executions } = await simulate({ ...policy, name: "load" }, {
    clients: CLIENTS,
    service: async ({ attempt, client, clock }) => {
      const { kind, latency } = answerTo(client, attempt.number);
      const { signal } = attempt;
      await clock.sleep(kind === "none" ? Infinity : latency, { signal });
      if (kind === "failure") throw new Error("status 503");
      return `value of ${client}`;
    },
  });
  return executions;
}

/** Answers as the simulated service does. A call without an answer ends with its connection. */
function serve(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { searchParams } = new URL(request.url);
      const client = Number(searchParams.get("client"));
      const { kind, latency } = answerTo(client, Number(searchParams.get("attempt")));
      if (kind === "none") {
        await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, latency));
      return kind === "failure"
        ? new Response("busy", { status: 503 })
        : new Response(`value of ${client}`);
    },
  );
}

async function real(port: number, client: number): Promise<SimulatedExecution> {
  const pauses: number[] = [];
  let execution: SimulatedExecution | null = null;
  await new Backoff({ ...policy, name: "load" }).execute(async ({ number, signal }) => {
    const url = `http://127.0.0.1:${port}/?client=${client}&attempt=${number}`;
    const response = await fetch(url, { signal: signal as AbortSignal });
    const text = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}`);
    return text;
  }, {
    observe(event) {
      if (event.type !== "done") return;
      const { at, attempts, elapsed, reason, outcome } = event;
      const beganAt = at - elapsed;
      execution = { client, beganAt, elapsed, attempts, pauses, reason, outcome };
    },
  }).catch(() => {});
  if (execution === null) throw new Error("The execution must end with an event");
  return execution;
}

async function delayed(port: number, client: number): Promise<SimulatedExecution> {
  await new Promise((resolve) => setTimeout(resolve, client * INTERVAL));
  return await real(port, client);
}

const expected = await simulated();
const server = serve();
try {
  const { port } = server.addr;
  const clients = Array.from({ length: CLIENTS }, (_, client) => client);
  const executions = await Promise.all(clients.map((client) => delayed(port, client)));
  assertEquals(executions.map(resultOf), expected.map(resultOf));
  const lateness = executions.map(({ elapsed }, index) =>
    elapsed - (expected[index]?.elapsed ?? Infinity)
  ).sort((one, other) => one - other);
  assert((lateness[0] ?? 0) > -NOISE, `an execution was ${lateness[0]} ms early`);
  const reasons = new Tally();
  for (const { reason } of executions) reasons.add(`${reason}`);
  const rounded = (share: number) =>
    lateness[Math.floor(share * (CLIENTS - 1))]?.toFixed(1);
  console.log(`${CLIENTS} executions are as simulated: ${reasons}`);
  console.log(`lateness: ${rounded(0.5)} ms in the middle, at most ${rounded(1)} ms`);
} finally {
  await server.shutdown();
}
