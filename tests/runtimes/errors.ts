// Makes failures of fetch in each runtime, with a proxy that breaks connections, and writes
// down what was thrown: tests/unit/http/network_errors.ts, to which the unit tests hold
// `isNetworkError`. It also classifies each failure where it is thrown. With `--check`, nothing
// is written, and what was thrown must be classified as the file says.

import * as esbuild from "npm:esbuild@0.28.2";
import { chromium } from "npm:playwright-core@1.65.1";
import { makeProject, type Project } from "../support/project.ts";
import { pathOf, run } from "../support/run.ts";
import { findChromium } from "./browser/chromium.ts";

/** Variables, because literal imports would download them whenever this file is checked. */
const miniflare = "npm:miniflare@4.20260730.0";
const OUT = "tests/unit/http/network_errors.ts";
/** The longest time that one runtime may take, in ms. */
const MAX_MS = 120_000;

/** The expected class of each failure that an address makes. */
type Kind = "network" | "dns" | "other";

interface Ports {
  http: number;
  tls: number;
  mute: number;
  closed: number;
}

/** The address of each failure that an address alone makes. */
const addressesOf = ({ http, tls, mute, closed }: Ports): Record<string, string> => {
  const proxy = `http://127.0.0.1:${http}`;
  return {
    "refused": `http://127.0.0.1:${closed}/`,
    "reset before the head": `${proxy}/reset-before-the-head`,
    "closed before the head": `${proxy}/closed-before-the-head`,
    "closed in the head": `${proxy}/closed-in-the-head`,
    "reset after the head": `${proxy}/reset-after-the-head`,
    "reset in the body": `${proxy}/reset-in-the-body`,
    "closed in the body": `${proxy}/closed-in-the-body`,
    "reset in a chunk": `${proxy}/reset-in-a-chunk`,
    "closed in a chunk": `${proxy}/closed-in-a-chunk`,
    "closed in gzip": `${proxy}/closed-in-gzip`,
    "reset in the TLS handshake": `https://127.0.0.1:${mute}/`,
    "host not found": "http://host.invalid/",
    "certificate of an unknown issuer": `https://localhost:${tls}/answer`,
    "an answer that is no HTTP": `${proxy}/no-http`,
    "redirected for ever": `${proxy}/redirected-for-ever`,
  };
};

const kindOf = (name: string): Kind => {
  if (name === "host not found") return "dns";
  return /^(refused|reset|closed)/.test(name) ? "network" : "other";
};

/** A runtime that is asked. */
interface Runtime {
  readonly version: string;
  readonly records: Record<string, unknown>;
}

/** Starts the proxy, and returns its ports and a function that ends it. */
async function startFaults(folder: string): Promise<{ ports: Ports; stop(): void }> {
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  const constraint = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await run("openssl", [...args, ...constraint, "-keyout", key, "-out", cert]);
  const script = `${folder}/faults.mjs`;
  await esbuild.build({
    entryPoints: [pathOf("tests/runtimes/errors/faults.ts")],
    outfile: script,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const process = new Deno.Command("node", {
    args: [script, key, cert],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  return {
    ports: JSON.parse(new TextDecoder().decode(value)),
    stop: () => {
      reader.cancel();
      process.stdin.close();
    },
  };
}

/** Bundles the probe with the classifier of the package. */
async function bundleProbe(project: Project): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: `import { isNetworkError } from "@asyncbackoff/asyncbackoff/http";
        import { probe } from "${pathOf("tests/runtimes/errors/probe.js")}";
        globalThis.runProbe = (addresses, origins) => probe(addresses, origins, isNetworkError);`,
      resolveDir: project.folder,
    },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Runs a command that prints the records. */
async function ask(
  command: string,
  args: readonly string[],
  version: string,
): Promise<Runtime> {
  const signal = AbortSignal.timeout(MAX_MS);
  const { stdout } = await new Deno.Command(command, { args: [...args], signal }).output();
  const records = JSON.parse(new TextDecoder().decode(stdout).trim());
  console.log(`  ${version}`);
  return { version, records };
}

const packages = {
  node22: "node@22",
  node24: "node@24",
  "deno2.0": "deno@2.0.0",
  "bun1.1": "bun@1.1",
  bun: "bun@1",
};

await using project = await makeProject(
  ...Object.entries(packages).map(([name, version]) => `${name}@npm:${version}`),
);
const { folder } = project;
const { ports, stop } = await startFaults(folder);
const origins = { http: `http://127.0.0.1:${ports.http}` };
const question = [addressesOf(ports), origins].map((each) => JSON.stringify(each)).join();
const probe = await bundleProbe(project);
await esbuild.stop();
const script = `${folder}/probe.mjs`;
await Deno.writeTextFile(
  script,
  `${probe}\nconsole.log(JSON.stringify(await runProbe(${question})));\n` +
    "globalThis.process?.exit?.();",
);
const bin = (name: string, file: string) => `${folder}/node_modules/${name}/${file}`;

async function versionOf(name: string, command: string): Promise<string> {
  const printed = await run(command, ["--version"]);
  return `${name} ${/\d+\.\d+\.\d+/.exec(printed)?.[0]}`;
}

async function inProcesses(): Promise<Runtime[]> {
  const deno = ["run", "-A", "-q", "--no-config"];
  const commands: [name: string, command: string, ...args: string[]][] = [
    ["Node", "node"],
    ["Node", bin("node22", "bin/node")],
    ["Node", bin("node24", "bin/node")],
    ["Deno", bin("deno2.0", "deno"), ...deno],
    ["Deno", Deno.execPath(), ...deno],
    ["Bun", bin("bun1.1", "bin/bun.exe")],
    ["Bun", bin("bun", "bin/bun.exe")],
  ];
  const runtimes: Runtime[] = [];
  for (const [name, command, ...args] of commands) {
    runtimes.push(await ask(command, [...args, script], await versionOf(name, command)));
  }
  return runtimes;
}

async function inChromium(): Promise<Runtime> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response("<title>probe</title>", { headers: { "content-type": "text/html" } }),
  );
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    env: { ...Deno.env.toObject(), HOME: folder, TMPDIR: folder },
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.addScriptTag({ content: probe, type: "module" });
    await page.waitForFunction("globalThis.runProbe !== undefined");
    const records = await page.evaluate<Runtime["records"]>(`runProbe(${question})`);
    console.log(`  Chromium ${browser.version()}`);
    return { version: `Chromium ${browser.version()}`, records };
  } finally {
    await browser.close();
    await server.shutdown();
  }
}

async function inWorkerd(): Promise<Runtime> {
  const { Miniflare } = await import(miniflare);
  const worker = new Miniflare({
    modules: [{
      type: "ESModule",
      path: "probe.js",
      contents: `${probe}
        export default {
          fetch: async () => Response.json(await runProbe(${question})),
        };`,
    }],
    compatibilityDate: "2026-07-01",
    handleStructuredLogs: () => {},
  });
  try {
    const answer = await worker.dispatchFetch("http://localhost/");
    const version = `workerd of miniflare ${miniflare.split("@")[1]}`;
    console.log(`  ${version}`);
    return { version, records: await answer.json() };
  } finally {
    await worker.dispose();
  }
}

const runtimes = [...await inProcesses(), await inWorkerd(), await inChromium()];
stop();

/** The text of the file. */
function textOf(): string {
  const names = Object.keys(runtimes[0]?.records ?? {});
  const kinds = Object.fromEntries(names.map((name) => [name, kindOf(name)]));
  const all = Object.fromEntries(
    runtimes.map(({ version, records }) => [version, records]),
  );
  return `// Written by \`deno task errors\` on ${
    new Date().toISOString().slice(0, 10)
  }: what fetch throws
// in each runtime. Do not edit it.

/** The record of a thrown value, and its class where it was thrown. */
export interface ErrorRecord {
  readonly class?: string;
  readonly name?: string;
  readonly message: string;
  readonly code?: string | number;
  readonly errno?: string;
  readonly retryable?: boolean;
  readonly cause?: ErrorRecord;
  readonly isNetworkError?: boolean;
  readonly withDns?: boolean;
}

/** The kind of each failure. */
export const KINDS: Record<string, "network" | "dns" | "other"> = ${
    JSON.stringify(kinds, null, 2)
  };

/** The thrown value of each failure, by runtime; \`null\` if nothing was thrown. */
export const ERRORS: Record<string, Record<string, ErrorRecord | null>> = ${
    JSON.stringify(all, null, 2)
  };
`;
}

if (!Deno.args.includes("--check")) {
  await Deno.writeTextFile(pathOf(OUT), textOf());
  await run(Deno.execPath(), ["fmt", "-q", pathOf(OUT)]);
}
const failures = runtimes.flatMap(({ version, records }) =>
  Object.entries(records).filter(([name, record]) =>
    kindOf(name) === "network" &&
    !(record as { isNetworkError?: boolean } | null)?.isNetworkError
  ).map(([name]) => `${version}: ${name}`)
);
if (failures.length > 0) {
  throw new Error(`These failures must be network errors: ${failures.join(", ")}`);
}
console.log(`${runtimes.length} runtimes; every network failure is classified as one`);
Deno.exit();
