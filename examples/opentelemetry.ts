// OpenTelemetry: one span for each execution, with an event for each attempt and each
// failure. The span is a child of the caller's span, and the parent of the spans that the
// function begins.
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

/**
 * The span of an execution, and the instant by the wall clock at which the policy's clock
 * was 0.
 */
interface Traced {
  readonly span: Span;
  readonly epoch: number;
}

const TRACED = createContextKey("asyncbackoff");
const tracer = trace.getTracer("my-service");

/** A policy that makes a span for each execution. */
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

/** Runs in the async context of its call, which identifies the execution. */
function observe(event: BackoffEvent): void {
  const execution = context.active().getValue(TRACED) as Traced | undefined;
  if (execution === undefined) return; // there is no context manager, so telemetry is off
  const { span, epoch } = execution;
  const time = epoch + event.at;
  if (event.type === "done") return end(span, event, time);
  if (!span.isRecording()) return; // an abandoned attempt ended after the execution
  const number = { "asyncbackoff.attempt": event.attempt };
  // A failure that is retried is not an error of the execution, so it is only an event.
  if (event.type === "failure") {
    const { pauseAfter } = event;
    const pause = pauseAfter === null ? {} : { "asyncbackoff.pause": pauseAfter };
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
  const { attempts, reason, outcome } = event;
  span.setAttributes({ "asyncbackoff.attempts": attempts, "asyncbackoff.reason": reason });
  if (outcome.status === "rejected") fail(span, outcome.reason);
  span.end(time);
}

function fail(span: Span, error: unknown): void {
  span.setAttribute(semantics.ATTR_ERROR_TYPE, typeOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}

/**
 * The code of an error (a status, an errno, an SQLSTATE), which says more than its name.
 */
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

/**
 * A client that follows the conventions: a span for each request, with the number of
 * resends.
 */
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

// The test, with the real SDK: first with a server on loopback, then on a test clock.

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
const eventsOf = ({ events }: ReadableSpan) =>
  events.map(({ name, attributes: { "asyncbackoff.attempt": number, ...rest } = {} }) => [
    name,
    number,
    rest,
  ]);
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;

// Each path answers 503 twice, then 200. There are four callers at once, each in its own
// span.
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

const retried = {
  "asyncbackoff.pause": 20,
  "exception.type": "503",
  "exception.message": "The server answered 503",
};
for (const index of [0, 1, 2, 3]) {
  const [caller] = named(`caller ${index}`);
  const isOwn = (span: ReadableSpan) => parentOf(span) === caller?.spanContext().spanId;
  const [span, ...others] = named("load").filter(isOwn);
  assert(span !== undefined && others.length === 0, "each execution must have one span");
  assert.equal(span.status.code, SpanStatusCode.UNSET); // it succeeded in the end
  assert.deepEqual(span.attributes, {
    "asyncbackoff.attempts": 3,
    "asyncbackoff.reason": "success",
  });
  assert.deepEqual(eventsOf(span), [
    ["asyncbackoff.attempt", 1, {}],
    ["asyncbackoff.failure", 1, retried],
    ["asyncbackoff.attempt", 2, {}],
    ["asyncbackoff.failure", 2, retried],
    ["asyncbackoff.attempt", 3, {}],
  ]);
  const times = [span.startTime, ...span.events.map(({ time }) => time), span.endTime]
    .map(msOf);
  assert.deepEqual(times, times.toSorted((one, other) => one - other));
  const [startTime = 0, , firstFailure = 0, secondAttempt = 0] = times;
  assert(startTime >= before && (times.at(-1) ?? 0) <= after + 1);
  assert(secondAttempt - firstFailure > 19.9, "the pause must be visible");
  const sent = named("GET").filter((each) => parentOf(each) === span.spanContext().spanId);
  const counts = sent.map(({ attributes }) => attributes["http.request.resend_count"]);
  assert.deepEqual(counts, [undefined, 1, 2]);
}
console.log(
  "  four callers at once: four spans with three attempts each, and the right parents",
);

// To the millisecond: two attempts time out after 1 s, 250 ms apart, and the deadline ends
// the third.
const clock = new TestClock();
const rules = { attemptTimeout: 1000, pause: 250, deadline: 3000, clock };
const hang = traced("hang", { ...rules, exceptions: [] });
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
console.log("  the instants of the events are exact to the millisecond");

await provider.shutdown();
