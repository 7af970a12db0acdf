// OpenTelemetry: one span for each execution, with an event for each attempt and each failure.
// The span is a child of the caller's, and the parent of those that the function begins.
// deno run --allow-net=127.0.0.1 --allow-env=OTEL_* examples/opentelemetry.ts

import {
  type Attempt,
  Backoff,
  type BackoffEvent,
  type BackoffOptions,
  type DoneEvent,
  type ExecuteOptions,
  systemClock,
} from "@asyncbackoff/asyncbackoff";
import {
  context,
  createContextKey,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "npm:@opentelemetry/api@^1";
import * as semantics from "npm:@opentelemetry/semantic-conventions@^1";

/** An execution's span, and when by the wall clock the policy's clock stood at 0. */
interface Traced {
  readonly span: Span;
  readonly epoch: number;
}

const TRACED = createContextKey("asyncbackoff");
const tracer = trace.getTracer("my-service");

/** A policy of which each execution is a span. */
function traced(name: string, options: Omit<BackoffOptions, "observe">) {
  const backoff = new Backoff({ ...options, observe });
  const clock = options.clock ?? systemClock;
  return <T>(fn: (attempt: Attempt) => T | PromiseLike<T>, options?: ExecuteOptions) => {
    const startTime = Date.now();
    const span = tracer.startSpan(name, { startTime });
    const execution: Traced = { span, epoch: startTime - clock.now() };
    const active = trace.setSpan(context.active(), span).setValue(TRACED, execution);
    return context.with(active, () => backoff.execute(fn, options));
  };
}

/** Runs in the async context of the call, whoever fired a timer: that tells executions apart. */
function observe(event: BackoffEvent): void {
  const execution = context.active().getValue(TRACED) as Traced | undefined;
  if (execution === undefined) return; // there is no context manager: no telemetry is wanted
  const { span, epoch } = execution;
  const time = epoch + event.at;
  if (event.type === "done") return end(span, event, time);
  if (!span.isRecording()) return; // an attempt that was abandoned ended after all
  const number = { "asyncbackoff.attempt": event.attempt };
  // A failure that is retried is no error of the execution, so it is told by an event alone.
  if (event.type === "failure") {
    const pause = event.pause === null ? {} : { "asyncbackoff.pause": event.pause };
    const exception = {
      [semantics.ATTR_EXCEPTION_TYPE]: typeOf(event.failure.error),
      [semantics.ATTR_EXCEPTION_MESSAGE]: messageOf(event.failure.error),
    };
    span.addEvent("asyncbackoff.failure", { ...number, ...pause, ...exception }, time);
  } else {
    span.addEvent(`asyncbackoff.${event.type}`, number, time);
  }
}

function end(span: Span, event: DoneEvent, time: number): void {
  const { tries, reason, outcome } = event;
  span.setAttributes({ "asyncbackoff.tries": tries, "asyncbackoff.reason": reason });
  if (outcome.status === "rejected") fail(span, outcome.reason);
  span.end(time);
}

function fail(span: Span, error: unknown): void {
  span.setAttribute(semantics.ATTR_ERROR_TYPE, typeOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}

/** A code says more than a name: a status, an errno, an SQLSTATE. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return semantics.ERROR_TYPE_VALUE_OTHER;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class HttpError extends Error {
  override name = "HttpError";
  readonly code: string;
  constructor(status: number) {
    super(`The server answered ${status}`);
    this.code = String(status);
  }
}

/** A client by the conventions: each request is a span, and tells how often it was sent before. */
async function get(url: URL, { number, signal }: Attempt): Promise<string> {
  const span = tracer.startSpan("GET", { kind: SpanKind.CLIENT });
  span.setAttributes({
    [semantics.ATTR_HTTP_REQUEST_METHOD]: "GET",
    [semantics.ATTR_URL_FULL]: url.href,
    [semantics.ATTR_SERVER_ADDRESS]: url.hostname,
    [semantics.ATTR_SERVER_PORT]: Number(url.port),
  });
  if (number > 1) span.setAttribute(semantics.ATTR_HTTP_REQUEST_RESEND_COUNT, number - 1);
  try {
    const response = await fetch(url, { signal });
    span.setAttribute(semantics.ATTR_HTTP_RESPONSE_STATUS_CODE, response.status);
    const body = await response.text();
    if (!response.ok) throw new HttpError(response.status);
    return body;
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

// What must hold, with the real SDK, a server on loopback, and then on a clock for tests.

import { TestClock } from "@asyncbackoff/asyncbackoff/testing";
import { AsyncLocalStorageContextManager } from "npm:@opentelemetry/context-async-hooks@^2";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "npm:@opentelemetry/sdk-trace-base@^2";
import assert from "node:assert/strict";
import { createServer } from "node:http";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});
trace.setGlobalTracerProvider(provider);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const named = (name: string) =>
  exporter.getFinishedSpans().filter((span) => span.name === name);
const msOf = ([seconds, nanoseconds]: readonly [number, number]) =>
  seconds * 1000 + nanoseconds / 1e6;
const told = ({ events }: ReadableSpan) =>
  events.map(({ name, attributes: { "asyncbackoff.attempt": number, ...rest } = {} }) => [
    name,
    number,
    rest,
  ]);
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;

// Each path answers 503 twice, then 200. Four callers at once, each within a span of its own.
const requests = new Map<string, number>();
const server = createServer(({ url = "" }, response) => {
  const count = (requests.get(url) ?? 0) + 1;
  requests.set(url, count);
  response.writeHead(count < 3 ? 503 : 200, { connection: "close" }).end(url);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };

const load = traced("load", { pause: 20, exceptions: [Error], deadline: 10_000 });
const before = Date.now();
await Promise.all(
  [0, 1, 2, 3].map((index) =>
    tracer.startActiveSpan(`caller ${index}`, async (span) => {
      const url = new URL(`http://127.0.0.1:${port}/${index}`);
      assert.equal(await load((attempt) => get(url, attempt)), `/${index}`);
      span.end();
    })
  ),
);
const after = Date.now();
await new Promise((resolve) => server.close(resolve));

const again = {
  "asyncbackoff.pause": 20,
  "exception.type": "503",
  "exception.message": "The server answered 503",
};
for (const index of [0, 1, 2, 3]) {
  const [caller] = named(`caller ${index}`);
  const isOwn = (span: ReadableSpan) => parentOf(span) === caller?.spanContext().spanId;
  const [span, ...others] = named("load").filter(isOwn);
  assert(span !== undefined && others.length === 0, "one span for each execution");
  assert.equal(span.status.code, SpanStatusCode.UNSET); // it succeeded in the end
  assert.deepEqual(span.attributes, {
    "asyncbackoff.tries": 3,
    "asyncbackoff.reason": "success",
  });
  assert.deepEqual(told(span), [
    ["asyncbackoff.attempt", 1, {}],
    ["asyncbackoff.failure", 1, again],
    ["asyncbackoff.attempt", 2, {}],
    ["asyncbackoff.failure", 2, again],
    ["asyncbackoff.attempt", 3, {}],
  ]);
  const times = [span.startTime, ...span.events.map(({ time }) => time), span.endTime]
    .map(msOf);
  assert.deepEqual(times, times.toSorted((one, other) => one - other));
  const [startTime = 0, , firstFailure = 0, secondAttempt = 0] = times;
  assert(startTime >= before && (times.at(-1) ?? 0) <= after + 1);
  assert(secondAttempt - firstFailure > 19.9, "the pause is seen");
  const sent = named("GET").filter((each) => parentOf(each) === span.spanContext().spanId);
  const counts = sent.map(({ attributes }) => attributes["http.request.resend_count"]);
  assert.deepEqual(counts, [undefined, 1, 2]);
}
console.log(
  "  four callers at once: four spans of three attempts, each with its parent",
);

// To the millisecond: two attempts of 1 s are cut, 250 ms apart, the third by the deadline.
const clock = new TestClock();
const rules = { attemptTimeout: 1000, pause: 250, deadline: 3000, clock };
const hang = traced("hang", rules);
const result = clock.run(hang(() => new Promise(() => {})));
await assert.rejects(result, { name: "TimeoutError" });
clock.close();

const [hung] = named("hang");
assert(hung !== undefined);
const beganAt = msOf(hung.startTime);
assert.deepEqual(
  hung.events.map(({ name, time }) => [name, Math.round(msOf(time) - beganAt)]),
  [
    ["asyncbackoff.attempt", 0],
    ["asyncbackoff.failure", 1000],
    ["asyncbackoff.attempt", 1250],
    ["asyncbackoff.failure", 2250],
    ["asyncbackoff.attempt", 2500],
  ],
);
assert.equal(Math.round(msOf(hung.duration)), 3000);
assert.equal(hung.attributes["error.type"], "TimeoutError");
assert.equal(hung.attributes["asyncbackoff.reason"], "deadline");
assert.equal(hung.status.code, SpanStatusCode.ERROR);
assert.match(hung.status.message ?? "", /attempt timeout of 1000 ms/);
console.log("  the times of its events are those of the execution, to the millisecond");

await provider.shutdown();
