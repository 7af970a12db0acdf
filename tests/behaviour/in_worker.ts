// Code in a worker: beside this one, or with globals that are replaced before the library is
// loaded.

/** A worker. */
export interface RunningWorker {
  post(message: unknown): void;
  /** Receives the messages of the worker. One listener at a time. */
  listen(listener: (message: unknown) => void): void;
  end(): void;
}

/** Gives workers of the web and of Node the same functions. */
const PRELUDE = `
  const isNode = typeof require === "function" && globalThis.postMessage === undefined;
  const port = isNode ? require("node:worker_threads").parentPort : globalThis;
  const post = (message) => port.postMessage(message);
  const listen = (listener) => {
    if (isNode) port.on("message", listener);
    else port.onmessage = ({ data }) => listener(data);
  };`;

/** The parts of the web's workers and of Node's that are used here. */
interface Port {
  postMessage(message: unknown): void;
  terminate(): unknown;
  onmessage?: (event: { data: unknown }) => void;
  on?(type: "message", listener: (message: unknown) => void): void;
}

/**
 * Starts a worker.
 *
 * @param code Its code, in which `post` posts a message and `listen` sets the listener.
 * @returns The worker; `null` where the platform has none.
 */
export async function startWorker(code: string): Promise<RunningWorker | null> {
  let port: Port;
  const script = `${PRELUDE} (async () => { ${code} })();`;
  try {
    port = await startPort(script);
  } catch {
    return null;
  }
  let receive = (_: unknown) => {};
  if (port.on === undefined) port.onmessage = ({ data }) => receive(data);
  else port.on("message", (message) => receive(message));
  return {
    post: (message) => port.postMessage(message),
    listen: (listener) => void (receive = listener),
    end: () => void port.terminate(),
  };
}

async function startPort(script: string): Promise<Port> {
  if (typeof Worker === "function") {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module" });
    return worker as unknown as Port;
  }
  const name = "node:worker_threads"; // a variable, because browsers cannot resolve it
  const threads = await import(name);
  return new threads.Worker(script, { eval: true });
}

/**
 * Runs code in a worker.
 *
 * @param code Its code, which may wait, and calls `post` once with the result. If it throws,
 * the error is the result.
 * @returns What it posts; `null` where the platform has no workers.
 */
export async function runInWorker(code: string): Promise<unknown> {
  const worker = await startWorker(
    `try { ${code} } catch (error) { post({ error: String(error?.stack ?? error) }); }`,
  );
  if (worker === null) return null;
  try {
    return await new Promise((resolve) => worker.listen(resolve));
  } finally {
    worker.end();
  }
}

/** The addresses of the library's modules, to load them in a worker. */
export const modules: { readonly main: string; readonly testing: string } = {
  main: import.meta.resolve("@asyncbackoff/asyncbackoff"),
  testing: import.meta.resolve("@asyncbackoff/asyncbackoff/testing"),
};
