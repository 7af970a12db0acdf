// The page. It runs the tests itself, or in a worker.

globalThis.runIn = {
  page: async (paths) => (await import("./run_tests.js")).runTests(paths),
  worker: (paths) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("worker.js", { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(paths);
    }),
};
