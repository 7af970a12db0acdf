// Makes failures by fetch in any runtime, and records what was thrown.

/** The depth to which causes are recorded. */
const MAX_CAUSES = 3;

/** The record of a thrown value. Numbers of ports and addresses differ in each run. */
function recordOf(error, depth = 0) {
  if (typeof error !== "object" || error === null) return { message: String(error) };
  const { name, message, code, errno, retryable, cause } = error;
  const record = { class: error.constructor?.name, name, message: stable(message) };
  if (code !== undefined) record.code = code;
  if (typeof errno === "string") record.errno = errno;
  if (retryable !== undefined) record.retryable = retryable;
  if (cause !== undefined && depth < MAX_CAUSES) record.cause = recordOf(cause, depth + 1);
  return record;
}

const stable = (message) =>
  String(message).replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT").replace(
    /\(local.*\)/,
    "(local)",
  ).replace(/reference = \w+/, "reference = ID").slice(0, 250);

/** The failures that are not made by an address alone. */
const acts = {
  "programming error": () => null.method(),
  "body read twice": async ({ http }) => {
    const response = await fetch(`${http}/answer`);
    await response.text();
    await response.text();
  },
  "aborted before the head": ({ http }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    return fetch(`${http}/stalled-before-the-head`, { signal: controller.signal });
  },
  "aborted in the body": async ({ http }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    const response = await fetch(`${http}/stalled-in-the-body`, {
      signal: controller.signal,
    });
    await response.text();
  },
  "an unknown scheme": () => fetch("nope://localhost/"),
  "no URL": () => fetch("http://["),
  "no method": ({ http }) => fetch(`${http}/answer`, { method: "no method" }),
  "no header": ({ http }) => fetch(`${http}/answer`, { headers: { "no header": "1" } }),
  "a GET with a body": ({ http }) => fetch(`${http}/answer`, { body: "1" }),
  "a redirect that is refused": ({ http }) =>
    fetch(`${http}/redirected`, { redirect: "error" }),
};

/**
 * Makes failures.
 *
 * @param addresses The address of each failure that an address alone makes, by name.
 * @param origins The origins of the proxy.
 * @param isNetworkError The function that classifies, which each failure is given to.
 * @returns A record of each failure.
 */
export async function probe(addresses, origins, isNetworkError) {
  const all = Object.entries(addresses).map(([name, address]) => [name, async () => {
    const response = await fetch(address);
    await response.text();
  }]);
  const records = {};
  for (const [name, act] of [...all, ...Object.entries(acts)]) {
    let timer;
    const late = new Promise((resolve) => timer = setTimeout(resolve, 20_000));
    try {
      await Promise.race([
        act(origins),
        late.then(() => Promise.reject("nothing in 20 s")),
      ]);
      records[name] = null;
    } catch (error) {
      records[name] = {
        ...recordOf(error),
        isNetworkError: isNetworkError(error),
        withDns: isNetworkError(error, { dns: true }),
      };
    } finally {
      clearTimeout(timer);
    }
  }
  return records;
}
