// The page: runs the tests in itself or in a worker, and keeps what came of them.

const places = {
  page: async (paths) => (await import("./run_tests.js")).runTests(paths),
  worker: (paths) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("worker.js", { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) =>
        typeof data === "string" ? reject(data) : resolve(data);
      worker.postMessage(paths);
    }),
};

globalThis.start = async (place, paths) => {
  globalThis.outcome = await places[place](paths).catch((error) => ({
    passed: 0,
    failures: [String(error?.stack ?? error)],
  }));
};
