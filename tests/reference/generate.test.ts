import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generateReference, signaturesOf } from "../../src/reference/generate.ts";
import type { Reference } from "../../src/reference/index.ts";
import { markdownPages } from "../../src/reference/markdown.ts";

const ROOT = join(import.meta.dir, "../..");
/** A repository of a few modules, in the shapes that ours have. */
const FILES: Readonly<Record<string, string>> = {
  "src/operations/shared/aliases.ts": `export const OPERATION_ALIASES = { "old.put": "demo.put" };`,
  "src/facts/shared/aliases.ts": `export const FACT_ALIASES = {};`,
  "src/operations/shared/family.ts": `
    import { operation } from "../../core/operation.ts";
    export interface Common {
      /** Name of it. */
      readonly name_: string | readonly string[];
      /** Whether it is there. */
      readonly present?: boolean;
    }
    export const DELAY = 5;
    export function packages<A extends Common>(name: string) {
      return operation<A>({ name, positional: ["name_"], async *steps(_, args) { yield* ensure(args); } });
    }
    export async function* ensure({ present = true }: { readonly present?: boolean }) { void present; }`,
  "src/operations/demo.ts": `/** Things for tests. @module */
    import { Secret, type Shell } from "../core/command.ts";
    import { operation } from "../core/operation.ts";
    import { type Common, DELAY, ensure, packages as family } from "./shared/family.ts";

    export type State = "stopped" | "started" | "absent";
    export interface Mount {
      /** Where it is. */
      readonly source: string;
      readonly readOnly?: boolean;
    }
    export interface PutArguments extends Common {
      /** What to do. */
      readonly state?: State;
      /** Mounts. Default: none. */
      readonly mounts?: readonly Mount[];
      /** Text. Default \`x\`. */
      readonly content?: string | Uint8Array | Secret;
      /** Seconds. */
      readonly delay?: number;
      /** Given on. */
      readonly force?: boolean;
      readonly command?: (string & {}) | "top" | Shell;
      /** Any. */
      readonly data?: Readonly<Record<string, unknown>>;
      /** Times. */
      readonly retries?: number;
      /** One of two. */
      readonly pair?: readonly [string, number];
    }

    /**
     * Put it. Then \`more\`.
     *
     * Another paragraph.
     * @example demo.put({ name_: "x" });
     * @example
     * \`\`\`ts
     * demo.put({ name_: ["x"] });
     * \`\`\`
     */
    export const put = operation<PutArguments>({
      name: "demo.put",
      positional: ["name_"],
      idempotent: "it puts it every time",
      async *steps(host, { delay = DELAY, content: text = "y", state, ...args }) {
        const { force = false, mounts = [] } = args;
        yield* ensure({ ...args });
        void [host, text, state, args.retries ?? 3, force, mounts];
      },
    });

    /** Made by a family. */
    export const packages = family<Common>("demo.packages");
    /** Either way. */
    export const either = operation<{ /** One. */ readonly one: string } | { /** Other. */ readonly other: number; /** One. */ readonly one: number }>({ name: "demo.either", async *steps() {} });
    /** Takes what it gets. */
    export const open = operation<{ readonly [key: string]: string }>({ name: "demo.open", async *steps() {} });
    /** Old. @deprecated Use demo.put */
    export const old = operation({ name: "demo.old", deprecated: "Use demo.put", async *steps() {} });
    export const notOne = { name: "x" };`,
  "src/operations/nested/index.ts": `/** Nested. @module */\nexport * as inner from "./inner.ts";\nexport { put as same } from "../demo.ts";`,
  "src/operations/nested/inner.ts": `import { operation } from "../../core/operation.ts";\n/** Inside. */\nexport const install = operation<{ readonly jail?: string }>({ name: "nested.inner.install", async *steps() {} });`,
  "src/operations/broken.ts": `export { nothing } from "./missing.ts";`,
  "src/facts/demo.ts": `/** Facts for tests. @module */
    import { derivedFact, fact, type NoArguments } from "../core/fact.ts";
    import { sh } from "../core/command.ts";
    export interface Found {
      /** Bytes. */
      readonly size: number;
      readonly kind: "file" | "link";
    }
    /** What is there. */
    export const File = fact<{ /** Where. */ readonly path: string }, Found | undefined>({ name: "demo.File", requires: "stat", command: ({ path }) => sh\`stat \${path}\`, parse: () => undefined, empty: undefined });
    /** How large. */
    export const Size = derivedFact<{ /** Where. */ readonly path: string }, number, Found | undefined>({ name: "demo.Size", from: File, derive: found => found?.size ?? 0 });
    /** All. */
    export const All = fact<NoArguments, ReadonlyMap<string, string> | Readonly<Record<string, readonly string[]>>>({ name: "demo.All", command: () => sh\`ls\`, parse: () => ({}), empty: {} });`,
  "tests/operations/demo.test.ts": `import * as demo from "../../src/operations/demo.ts";\nimport { apply } from "../support/apply.ts";\nimport { busyboxRootfs } from "../support/rootfs.ts";\nvoid apply(demo.put, {}); void busyboxRootfs();`,
  "tests/operations/cases.test.ts": `import { packages } from "../../src/operations/demo.ts";\nvoid packages;`,
  "tests/support/apply.ts": "export const apply = (..._: unknown[]) => {};",
};

let root = "";
let reference: Reference;
beforeAll(async () => {
  // Below node_modules, where packages are found and no rule looks.
  root = mkdtempSync(join(ROOT, "node_modules/.reference-"));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  symlinkSync(join(ROOT, "src/core"), join(root, "src/core"));
  reference = await generateReference(root);
}, 120_000);
afterAll(() => rmSync(root, { recursive: true }));

const operation = (name: string) => reference.operations.find(one => one.name === name) ?? expect.unreachable(name);
const argumentsOf = (name: string) => Object.fromEntries(operation(name).arguments.map(one => [one.name, one]));

test("operations are found in modules, families and modules in modules, and nothing else is", () => {
  expect(reference.operations.map(({ name }) => name)).toEqual([
    "demo.either",
    "demo.old",
    "demo.open",
    "demo.packages",
    "demo.put",
    "nested.inner.install",
    "nested.same",
  ]);
  expect(reference.operationModules).toEqual([
    { name: "demo", summary: "Things for tests." },
    { name: "nested", summary: "Nested." },
  ]);
  expect(operation("nested.inner.install").module).toBe("nested.inner");
});

test("an operation says what its TSDoc and its definition say", () => {
  expect(operation("demo.put")).toMatchObject({
    summary: "Put it. Then `more`.",
    text: "Another paragraph.",
    examples: ['demo.put({ name_: "x" });', 'demo.put({ name_: ["x"] });'],
    positional: ["name_"],
    idempotent: "it puts it every time",
    source: "src/operations/demo.ts",
  });
  expect(operation("demo.packages")).toMatchObject({ positional: ["name_"], idempotent: true });
  expect(operation("demo.old").deprecated).toBe("Use demo.put");
});

test("arguments have their types, in the order that unions are written in", () => {
  const types = Object.fromEntries(
    operation("demo.put").arguments.map(({ name, typeText, required }) => [name, `${required ? "" : "?"}${typeText}`]),
  );
  expect(types).toEqual({
    state: '?"stopped" | "started" | "absent"',
    mounts: "?{ source: string; readOnly?: boolean }[]",
    content: "?string | Secret | Uint8Array",
    delay: "?number",
    force: "?boolean",
    command: "?string | Shell",
    data: "?Record<string, unknown>",
    retries: "?number",
    pair: "?[string, number]",
    name_: "string | string[]",
    present: "?boolean",
  });
  expect(argumentsOf("demo.put")["mounts"]?.fields?.map(({ name, text, required }) => [name, text, required])).toEqual([
    ["source", "Where it is.", true],
    ["readOnly", "", false],
  ]);
  expect(argumentsOf("demo.packages")["name_"]?.text).toBe("Name of it.");
});

test("a union of arguments requires what all its parts require", () => {
  expect(signaturesOf(reference).operations["demo.either"]).toEqual({
    fields: { one: { any: ["string", "number"] }, other: "number" },
    required: ["one"],
  });
  expect(signaturesOf(reference).operations["demo.open"]).toEqual({ fields: {}, rest: "string" });
});

test("defaults are read from the code: destructuring, constants, ??, and the functions that arguments are handed on to", () => {
  const defaults = Object.fromEntries(
    operation("demo.put").arguments.flatMap(one => (one.default === undefined ? [] : [[one.name, one.default]])),
  );
  expect(defaults).toEqual({ delay: "5", content: '"y"', force: "false", present: "true", retries: "3" });
  expect(argumentsOf("demo.packages")["present"]?.default).toBe("true");
});

test("facts say what they take and give", () => {
  expect(reference.facts.map(({ name, resultText }) => [name, resultText])).toEqual([
    ["demo.All", "unknown"],
    ["demo.File", "object | undefined"],
    ["demo.Size", "number"],
  ]);
  const [, file, size] = reference.facts;
  expect(file).toMatchObject({ requires: "stat", summary: "What is there." });
  expect(file?.resultFields?.map(({ name, text }) => [name, text])).toEqual([
    ["size", "Bytes."],
    ["kind", ""],
  ]);
  expect(size?.arguments.map(({ name, required }) => [name, required])).toEqual([["path", true]]);
});

test("tested is what a test applies to a real userland", () => {
  expect(
    reference.operations.flatMap(({ name, testedOn }) => (testedOn.length > 0 ? [[name, ...testedOn]] : [])),
  ).toEqual([["demo.put", "busybox"]]);
});

test("a module that does not load is a problem, and spoils no other", () => {
  expect(reference.problems.map(text => text.split(":")[0])).toEqual(["src/operations/broken.ts cannot be loaded"]);
});

test("the arguments of every operation are there, and what is old is known", () => {
  expect(reference.globals.find(one => one.name === "_sudoPassword")?.typeText).toBe("string | Secret");
  expect(reference.aliases).toEqual({ "old.put": "demo.put" });
});

test("there is a page for every module, with a part for every operation and fact, and links that lead somewhere", () => {
  const pages = markdownPages(reference);
  expect([...pages.keys()]).toEqual([
    "operations/demo.md",
    "operations/nested.md",
    "facts/demo.md",
    "global-arguments.md",
    "index.md",
  ]);
  const page = pages.get("operations/demo.md") ?? "";
  expect(page).toContain("| `mounts[].source` | `string` | required | Where it is. |");
  expect(page).toContain('| `state` | `"stopped" \\| "started" \\| "absent"` |  | What to do. |');
  expect(page).toContain("Not idempotent: it puts it every time. Tested on: busybox.");
  expect(page).toContain("Idempotent: a second run changes nothing. Not run on a real system by our tests.");
  expect(pages.get("index.md")).toContain("6 of 7: `demo.either`, `demo.old`");
  for (const [path, text] of pages) {
    for (const [, target = "", anchor] of text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      const found = pages.get(target === "" ? path : join(dirname(path), target)) ?? "";
      const anchors = [...found.matchAll(/^## (.*)$/gm)].map(([, title = ""]) =>
        title.toLowerCase().replaceAll(".", ""),
      );
      expect([path, target, anchor === undefined ? found !== "" : anchors.includes(anchor)]).toEqual([
        path,
        target,
        true,
      ]);
    }
  }
});

test("the same sources give the same reference", async () => {
  expect(JSON.stringify(await generateReference(root))).toBe(JSON.stringify(reference));
}, 120_000);
