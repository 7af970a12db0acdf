// A call through five layers of three tries each, counted and drawn for docs/nesting.md.

import { type Attempt, Backoff, sleep } from "@asyncbackoff/asyncbackoff";
import { Timeline } from "@asyncbackoff/asyncbackoff/timeline";
import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { fromOne } from "./timeline_fixture.ts";

class Unavailable extends Error {
  override name = "Unavailable";
}

/** The calls of the service at the bottom. */
export interface Layers {
  readonly calls: number;
  /** The number of calls that began after the caller had been answered. */
  readonly callsAfter: number;
  /** The instant at which the last call ended. */
  readonly endedAt: number;
  readonly picture: string;
}

/** The rules of the layers. */
export interface Rules {
  /** Whether each layer is nested in the attempt of the layer above. */
  readonly isNested: boolean;
  /** Whether each layer retries errors that the layer below has retried already. */
  readonly retryExhausted: boolean;
  /** The number of calls of the service that fail after 20 ms. The others hang for 1 s. */
  readonly failures: number;
}

/** Makes a call with a deadline of 300 ms through the layers, on a test clock. */
export async function runNestedLayers(rules: Rules): Promise<Layers> {
  const clock = new TestClock();
  const timeline = new Timeline({ maxExecutions: 1000 });
  const began: number[] = [];
  let endedAt = 0;
  const service = async ({ signal }: Attempt) => {
    began.push(clock.now());
    await sleep(began.length > rules.failures ? 1000 : 20, { clock, signal });
    endedAt = clock.now();
    throw new Unavailable("status 503");
  };
  const layer = new Backoff({
    maxTries: 3,
    pause: 20,
    exceptions: [Unavailable],
    retryExhausted: rules.retryExhausted,
    clock,
    observe: fromOne(timeline),
  });
  const call = (depth: number, outer: Attempt): Promise<void> => {
    if (depth === 0) return service(outer);
    const within = rules.isNested ? outer : null;
    return layer.execute((attempt) => call(depth - 1, attempt), { within });
  };
  const caller = layer.with({ deadline: 300 });
  await clock.run(caller.execute((attempt) => call(4, attempt)).catch(() => {}));
  const answeredAt = clock.now();
  await clock.advance(60_000);
  const callsAfter = began.filter((at) => at >= answeredAt).length;
  return { calls: began.length, callsAfter, endedAt, picture: timeline.toSVG() };
}
