// What the files tell of the package's score on JSR: all of its points must be there. The rest
// is set on jsr.io by hand, and is printed as a reminder. With a tag, as `v1.2.3`: whether that
// is the version that the sources tell, and the changelog has it.

import { run } from "./package.ts";

interface Documented {
  readonly jsDoc?: { readonly doc?: string; readonly tags?: { readonly kind: string }[] };
}
interface Declaration extends Documented {
  readonly declarationKind: string;
  readonly def?: Readonly<Record<string, unknown>>;
}
interface Entry {
  readonly module_doc?: Documented["jsDoc"];
  readonly symbols: { readonly name: string; readonly declarations: Declaration[] }[];
}

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));
const MEMBERS = ["constructors", "properties", "methods", "callSignatures"];

const { exports, publish, version } = JSON.parse(await read("deno.json"));
const paths: string[] = Object.values(exports);
const printed = await run(Deno.execPath(), ["doc", "--json", ...paths], { cwd: root });
const entries: Entry[] = Object.values(
  JSON.parse(printed.slice(printed.indexOf("{"), printed.lastIndexOf("}") + 1)).nodes,
);

const isDocumented = ({ jsDoc }: Documented) => (jsDoc?.doc ?? "").trim() !== "";

/** Each overload counts, and so does each member. */
const symbols = entries.flatMap((entry) =>
  entry.symbols.flatMap(({ name, declarations }) =>
    declarations.filter(({ declarationKind }) => declarationKind === "export").flatMap(
      (declaration) => [
        { name, ...declaration },
        ...MEMBERS.flatMap((kind) => (declaration.def?.[kind] ?? []) as Documented[])
          .map((member) => ({ ...member, name: `${name}.${Reflect.get(member, "name")}` })),
      ],
    )
  )
);
const bare = symbols.filter((symbol) => !isDocumented(symbol)).map(({ name }) => name);
const share = 1 - bare.length / symbols.length;

const readme = await read("README.md");
const workflow = await read(".github/workflows/publish.yml");
/** Slow types are among what a publication is refused for. */
const isFast = await run(Deno.execPath(), ["publish", "--dry-run", "--allow-dirty"], {
  cwd: root,
}).then(() => true, () => false);

const factors: [what: string, points: number, isGiven: boolean][] = [
  ["README.md is published", 2, readme !== "" && publish.include.includes("README.md")],
  ["an example in it", 1, /^```ts$/m.test(readme)],
  [
    "each entry point has a module doc with an example",
    1,
    entries.length === paths.length &&
    entries.every(({ module_doc: doc }) =>
      doc?.tags?.some(({ kind }) => kind === "example") ?? false
    ),
  ],
  [
    `documented: ${(share * 100).toFixed(1)} % of ${symbols.length}, at least 80`,
    5,
    share >= 0.8,
  ],
  ["no slow types", 5, isFast],
  [
    "published with provenance",
    1,
    /id-token: write/.test(workflow) && /deno publish/.test(workflow),
  ],
];
for (const [what, points, isGiven] of factors) {
  console.log(`${isGiven ? points : 0} of ${points}  ${what}`);
}
if (bare.length > 0) console.log(`without a word: ${bare.join(", ")}`);
const [is, most] = [true, false].map((isOnlyGiven) =>
  factors.reduce(
    (sum, [, points, isGiven]) => sum + (isGiven || !isOnlyGiven ? points : 0),
    0,
  )
);
console.log(`${is} of ${most} that the files can tell; to be set on jsr.io, a point each:
  the description: Retry, timeout and deadline, exact to the tie, with a test clock
  one runtime that it works in, and a second: Deno, Node, Bun, browsers, Workers`);
if (is !== most) Deno.exit(1);

const [tag] = Deno.args;
const isLogged = (await read("CHANGELOG.md")).split("\n").includes(`## ${version}`);
if (tag !== undefined && (tag !== `v${version}` || !isLogged)) {
  console.error(
    `Cannot release ${tag}: deno.json tells ${version}, and CHANGELOG.md must have it`,
  );
  Deno.exit(1);
}
