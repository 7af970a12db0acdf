// fetchWith() on real connections, in Node, Deno and Bun: through a proxy that breaks them
// (http/calls.ts), and in the hands of SDKs (http/uses.ts).

import { inRuntimes, isSmall, seed } from "../support/runtimes.ts";
import { run as runCommand } from "../support/run.ts";

console.log(`seed ${seed}`);
await inRuntimes(async ({ name, folder, build, run }) => {
  console.log(`${name}:`);
  const faults = await build("faults/server.ts");
  await run("http/calls.ts", [seed, isSmall ? 1000 : 10_000, faults]);
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names];
  const constraint = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await runCommand("openssl", [...args, ...constraint, "-keyout", key, "-out", cert]);
  await run("http/uses.ts", [await build("http/server.ts"), key, cert]);
}, ["openai@6", "@octokit/core@7", "openapi-fetch@0.17", "undici@7"]);
