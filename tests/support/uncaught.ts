// Errors that nobody handles: rejections, and errors that are thrown in a turn of their
// own.

type Listener = (error: unknown) => void;
interface Process {
  listeners(type: string): Listener[];
  removeAllListeners(type: string): void;
  on(type: string, listener: Listener): void;
}

/**
 * Listens to the platform's events, or to those of the process, until the returned function
 * is called.
 */
export function listenToUncaught(listener: Listener): () => void {
  if ("PromiseRejectionEvent" in globalThis) {
    const onEvent = (event: Event) => {
      event.preventDefault();
      listener(
        event instanceof PromiseRejectionEvent ? event.reason : Reflect.get(event, "error"),
      );
    };
    const types = ["error", "unhandledrejection"];
    for (const type of types) globalThis.addEventListener(type, onEvent);
    return () => {
      for (const type of types) globalThis.removeEventListener(type, onEvent);
    };
  }
  const stops = ["uncaughtException", "unhandledRejection"].map((type) =>
    takeOver(type, listener)
  );
  return () => stops.forEach((stop) => stop());
}

/** Replaces a test runner's own listeners, which would report a failure of the test. */
function takeOver(type: string, listener: Listener): () => void {
  const { process } = globalThis as unknown as { process: Process };
  const others = process.listeners(type);
  process.removeAllListeners(type);
  process.on(type, listener);
  return () => {
    process.removeAllListeners(type);
    for (const other of others) process.on(type, other);
  };
}
