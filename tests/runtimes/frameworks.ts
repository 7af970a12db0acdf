// Runs programs of real frameworks from npm on the installed package, as their users have
// them: CommonJS, the default configuration, no flags. The arguments name groups, such as
// `jest29`; all of them run if none is named.

import * as esbuild from "npm:esbuild@0.28.2";
import { makeProject, type Project } from "../support/project.ts";

/** Frameworks that are installed together, and programs that use them. */
interface Group {
  readonly packages: readonly string[];
  /** Files of frameworks/ that the programs need: the name in the project, and here. */
  readonly files: Readonly<Record<string, string>>;
  /** Commands, by the names of their programs. Each writes its results to results.json. */
  readonly programs: Readonly<Record<string, string>>;
}

const asTheyAre = (...files: string[]) =>
  Object.fromEntries(files.map((file) => [file, file]));

const jestCommand = "node_modules/.bin/jest --json --outputFile=results.json";

const jest = (version: number): Group => ({
  packages: [`jest@${version}`],
  files: { "retry.test.js": "jest.js", "typescript.test.js": "jest.mts" },
  programs: {
    [`Jest ${version}`]: jestCommand,
  },
});

/** The configuration of Jest that fakes the timers of every file. */
const fakedFirst = (testEnvironment: string) =>
  JSON.stringify({
    testEnvironment,
    testMatch: ["**/faked.jest.js"],
    fakeTimers: { enableGlobally: true },
  });

const nest = (version: number): Group => ({
  packages: [
    ...["common", "core", "platform-express"].map((name) => `@nestjs/${name}@${version}`),
    "reflect-metadata@0.2",
    "rxjs@7",
  ],
  files: { "nest.js": "nest.mts", "nest_scope.js": "nest_scope.mts" },
  programs: {
    [`NestJS ${version}`]: "node nest.js",
    [`NestJS ${version}, scopes of requests`]: "node nest_scope.js",
  },
});

const vitestCommand =
  "node_modules/.bin/vitest run --reporter=json --outputFile=results.json";

const vitest = (version: number): Group => ({
  packages: [`vitest@${version}`, "happy-dom@20", "jsdom@26"],
  files: { "retry.test.mjs": "vitest.mjs" },
  programs: Object.fromEntries(
    ["node", "happy-dom", "jsdom"].map((name) =>
      [`Vitest ${version}, ${name}`, `${vitestCommand} --environment=${name}`] as const
    ),
  ),
});

const groups: Readonly<Record<string, Group>> = {
  jest29: jest(29),
  jest30: jest(30),
  nest10: nest(10),
  nest11: nest(11),
  nest12: nest(12),
  servers: {
    packages: ["express@5", "fastify@5"],
    files: asTheyAre("servers.js"),
    programs: {
      "Express and Fastify": "node servers.js",
      "Express and Fastify, followed": "node servers.js followed",
    },
  },
  vitest4: vitest(4),
  vitest5: vitest(5),
  // Timers that are faked for every file, before the package is loaded.
  faked: {
    packages: [
      "jest@30",
      "jest-environment-jsdom@30",
      "vitest@4",
      "happy-dom@20",
      "jsdom@26",
    ],
    files: {
      "faked.jest.js": "faked/jest.js",
      "faked.vitest.mjs": "faked/vitest.mjs",
      "vitest.setup.mjs": "faked/vitest.setup.mjs",
      "vitest.config.mjs": "faked/vitest.config.mjs",
    },
    programs: Object.fromEntries([
      ...["node", "jsdom"].map((
        name,
      ) => [
        `Jest 30, faked first, ${name}`,
        `${jestCommand} --config=${fakedFirst(name)}`,
      ]),
      ...["node", "happy-dom", "jsdom"].map((
        name,
      ) => [`Vitest 4, faked first, ${name}`, `${vitestCommand} --environment=${name}`]),
    ]),
  },
  // Tools that watch timers or follow async calls, before and after ours is loaded.
  monitoring: {
    packages: [
      "longjohn@0.2",
      "continuation-local-storage@3",
      "@opentelemetry/api@1",
      "@opentelemetry/context-async-hooks@2",
      "async-hook-domain@4",
    ],
    files: asTheyAre("monitoring.js"),
    programs: Object.fromEntries(
      [
        "longjohn",
        "continuation-local-storage",
        "OpenTelemetry",
        "async-hook-domain",
        "proxy",
      ].flatMap((tool) =>
        ["before", "after"].map((when) =>
          [`${tool}, started ${when}`, `node monitoring.js ${tool} ${when}`] as const
        )
      ),
    ),
  },
  // Packages that replace the platform's timers or promises, before and after ours is loaded.
  others: {
    packages: ["zone.js@0.16", "bluebird@3", "@sentry/browser@11", "jsdom@26", "async@3"],
    files: asTheyAre("zone.js", "bluebird.js", "sentry.js", "async.js"),
    programs: {
      "zone.js, loaded before": "node zone.js before",
      "zone.js, loaded after": "node zone.js after",
      "Bluebird, set before": "node bluebird.js before",
      "Bluebird, set after": "node bluebird.js after",
      "Sentry, initialised before": "node sentry.js before",
      "Sentry, initialised after": "node sentry.js after",
      "async": "node async.js",
    },
  },
};
/** Files that programs of several groups load. */
const shared = asTheyAre("check.js", "replaced.js", "unreliable.js");

/** The longest time that a program may run, in ms. */
const MAX_MS = 60_000;

/** A result, in the format of Jest and Vitest. */
interface Result {
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped" | "pending";
  readonly failureMessages: readonly string[];
}

const frameworks = new URL("frameworks/", import.meta.url);

/** Makes a project of CommonJS with the files of a group. */
async function prepare(group: Group): Promise<Project> {
  const project = await makeProject(...group.packages);
  const manifest = `${project.folder}/package.json`;
  const { type: _, ...commonJS } = JSON.parse(await Deno.readTextFile(manifest));
  await Deno.writeTextFile(manifest, JSON.stringify(commonJS));
  for (const [target, source] of Object.entries({ ...shared, ...group.files })) {
    const [from, to] = [new URL(source, frameworks), `${project.folder}/${target}`];
    if (source.endsWith(".mts")) await compile(from.pathname, to);
    else await Deno.copyFile(from, to);
  }
  return project;
}

/** Compiles a file of TypeScript to CommonJS, with legacy decorators. */
async function compile(from: string, to: string): Promise<void> {
  await esbuild.build({
    entryPoints: [from],
    outfile: to,
    format: "cjs",
    target: "node20",
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    logLevel: "error",
  });
}

/** Runs a program. One that writes no results has failed. */
async function resultsOf({ folder }: Project, command: string): Promise<Result[]> {
  const [program = "", ...args] = command.split(" ");
  const file = `${folder}/results.json`;
  const signal = AbortSignal.timeout(MAX_MS);
  const { code, stdout, stderr } = await new Deno.Command(
    program.includes("/") ? `${folder}/${program}` : program,
    { args, cwd: folder, stdin: "null", signal },
  ).output();
  try {
    const { testResults } = JSON.parse(await Deno.readTextFile(file));
    await Deno.remove(file);
    return testResults.flatMap(resultsOfFile);
  } catch {
    const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    const end = signal.aborted ? `took longer than ${MAX_MS} ms` : `exited with ${code}`;
    return [failureOf("the program", `${end}, without results:\n${text}${errors}`)];
  }
}

/** The results of one file of tests. One without tests, or that cannot be loaded, has failed. */
function resultsOfFile(
  file: { message?: string; assertionResults: readonly Result[] },
): readonly Result[] {
  const { message = "it has no checks", assertionResults } = file;
  return assertionResults.length > 0 ? assertionResults : [failureOf("a file", message)];
}

const failureOf = (title: string, message: string): Result => (
  { title, status: "failed", failureMessages: [message] }
);

/** The first lines of a message. The rest are frames of the frameworks. */
const firstLinesOf = (message: string) => message.split("\n").slice(0, 12).join("\n");

const names = Deno.args;
const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
for (const name of names.length > 0 ? names : Object.keys(groups)) {
  const group = groups[name];
  if (group === undefined) {
    throw new Error(
      `Cannot run ${name}: it must be one of ${Object.keys(groups).join(", ")}`,
    );
  }
  await using project = await prepare(group);
  for (const [program, command] of Object.entries(group.programs)) {
    for (const { title, status, failureMessages } of await resultsOf(project, command)) {
      counts[status] += 1;
      const end = status === "pending" ? "skipped" : status;
      console.log(`${program}: ${title}: ${end}`);
      if (status === "failed") console.log(firstLinesOf(failureMessages.join("\n")));
    }
  }
}
await esbuild.stop();
const skipped = counts.skipped + counts.pending;
if (skipped > 0) console.log(`${skipped} checks were skipped`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
Deno.exit(counts.failed > 0 ? 1 : 0);
