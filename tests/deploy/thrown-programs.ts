/** Programs that throw at a known place, put together at random. @module */
import { mkdirSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import type { CallSite } from "../../src/core/errors.ts";

const DEP = `export const a = 1, b = 2;\nexport default (x: unknown) => x;\nexport type T = string;\n`;

/** What throws, each by itself; `§` stands before the token whose line and column are told. */
export const THROWS: readonly string[] = [
  `throw new §Error("boom");`,
  `throw new §RangeError(\n  "boom");`,
  `const none$: any = undefined;\n\n§none$.name;`,
  `const nil$: any = null; const held$ = nil$;\n// a comment\nconsole.log(§held$.name);`,
  `const five$: any = 5;\n§five$();`,
  `const object$: any = { x: 1 };\n  object$\n    .§get("x");`,
  `const text$: any = "text";\nconst made$ = { text$ };\nmade$.§missing(text$);`,
  `§missing$();`,
  `const found$ = [1, 2,\n  §missing$, 3];`,
  "const lines$ = `a\n  ${§missing$}`;",
  `const limit$ = 3 as any, size$ = "x"; void size$;\nif (limit$ > 2) { limit$.§x.y; }`,
  `JSON.§parse("{");`,
  `const nothing$: any = null;\nconst { x: deep$ } = §nothing$; console.assert(!deep$);`,
  `for (const item$ of [1]) {\n  if (item$) throw new §TypeError("boom");\n}`,
  `class Thrower$ { run() {\n  const self: any = undefined;\n\n  return §self.x || 1; } }\nnew Thrower$().run();`,
  `class Made$ { y = 1; constructor(public x: any) { if (this.y)\n  throw new §Error("boom"); } }\nvoid new Made$(1);`,
  `[1, 2].forEach(n => {\n  const none: any = null;\n  if (n === 2) §none.x;\n});`,
  `{ const inner: any = undefined; const outer = () => { return { v: inner }; };\n  void outer().§v.x; }`,
  `enum E$ { A = 1 }\n(E$ as any)[§0].x;`,
  `await (async () => {\n  await null;\n  const none: any = undefined;\n  §none.x;\n})();`,
  `await Promise.all([1].map(async n => {\n  await n;\n  throw new §Error("boom"); }));`,
  `const decorator$: any = () => { throw new §Error("boom"); };\nclass Decorated$ {\n  @decorator$ m() {} }\nvoid Decorated$;`,
  `const decorator$: any = 5;\n@decorator$ §class Decorated$ {}\nvoid Decorated$;`,
  `const text$ = { x: undefined as any };\nconst { x: { y: y$ } } = §text$; console.assert(!y$);`,
  `try { §missing$; } finally { void 0; }`,
  `switch (1 as number) {\n  case 1:\n    throw new §Error("boom");\n}`,
];

/** The engine tells of other lines here, or of none: what is taken apart must have its name alone. */
export const TAKEN_APART: readonly string[] = [
  `§const { literal$ } = null as any;\nvoid literal$;`,
  `const last$ = 1; void last$;\n\n§const { of$ } = null as any;`,
  `console.assert(true);\n§const {\n  one$,\n  two$: { three$ },\n} = null as any;\nvoid [one$, two$];`,
  `let given$: any;\n(§{ given$ } = null as any);`,
  `const later$ = ({ one$ }: any) => {\n  void one$;\n};\nconst first$ = §({ two$ }: any) => {\n\n  return two$;\n};\nvoid later$;\nfirst$(null);`,
];

/** What may stand before it. */
const BEFORE: readonly string[] = [
  `import main$ from "./dep";\nvoid main$;`,
  `import { a as a$,\n  b as b$ } from "./dep"; void [a$, b$];`,
  `import type { T as T$ } from "./dep"; let t$: T$ | undefined; void t$;`,
  `import unused$ from "./dep";`,
  `import fs$ = require("node:fs"); void fs$;`,
  `import * as all$ from "./dep"; import "./dep"; console.assert(!!all$);`,
  `export const public$ = 1, other$ = "text";`,
  `export { a as again$ } from "./dep";\nexport * as star$ from "./dep";`,
  `const one$ = 1;\nconst two$ = "two"; let three$ = one$ + 2; three$++;`,
  `const options$ = {\n  one: 1,\n  two: [1, 2, 3].map(n => n * 2),\n};\nconst { two: list$ } = options$; void list$;`,
  `// a comment`,
  `/* a comment\n   of lines */`,
  ``,
  `\n\n`,
  `interface Shape$ { x: number }\ntype Way$ = Shape$ | undefined;`,
  `const template$ = \`one\ntwo \${1}\n\`; void template$;`,
  `function add$(x: number, y = 1): number { return x + y; } add$(1);`,
  `enum Kind$ { One, Two = "two" }\nvoid Kind$.Two;`,
  `namespace Space$ { export const x = 1; } void Space$.x;`,
  `const quotient$ = (1 + 1) / 2 / 1, pattern$ = /["'\`]/; void [quotient$, pattern$];`,
  `class Plain$<T> { constructor(private readonly x: T) {} get value() { return this.x; } } void new Plain$(1).value;`,
  `await null;`,
  `if (false) { void 0; }`,
  `export abstract class Abstract$ { abstract run(): void }`,
  `label$: for (const x of [1]) { if (x) continue label$; }`,
];

/** A deploy file and what it imports, by name; `¶` stands before the call of what throws. */
export type Program = Readonly<Record<string, string>>;

/** Where what throws stands. */
const PLACES: readonly ((before: string, thrower: string) => Program)[] = [
  (before, thrower) => ({ "deploy.ts": `${before}\n${thrower}` }),
  (before, thrower) => ({ "deploy.ts": `#!/usr/bin/env tsinfra\n${before}\n${thrower}` }),
  (before, thrower) => ({ "deploy.js": withoutTypes(`${before}\n${thrower}`) }),
  (before, thrower) => ({
    "deploy.ts": `${before}\nconst main = async () => {\n${thrower}\n};\nexport { main as default };`,
  }),
  ...["ts", "js", "mjs"].map(extension => (before: string, thrower: string): Program => {
    const text = `${before}\nexport async function fail() {\n${thrower}\n}\n`;
    return {
      [`helper.${extension}`]: extension === "ts" ? text : withoutTypes(text),
      "deploy.ts": `import { fail } from "./helper.${extension}";\n\nawait ¶fail();\n`,
    };
  }),
  (before, thrower) => ({
    "helper.ts": `${before}\nexport class Helper {\n  static async run() {\n${thrower}\n  }\n}\n`,
    "deploy.ts": `import { Helper } from "./helper";\nconst go = async () => {\n  await Helper.¶run();\n};\nawait go();\n`,
  }),
  (before, thrower) => ({
    "inner.ts": `${before}\n${thrower}`,
    "deploy.ts": `import { local } from "tsinfra";\nawait local.¶include("./inner.ts");\n`,
  }),
];

const withoutTypes = (text: string): string => text.replaceAll(/: any| as (?:any|number)/g, "");

/** Where the marker stands, and the text without markers. */
function unmarked(
  text: string,
  marker: string,
): { readonly text: string; readonly line: number; readonly column: number } {
  const before = text.slice(0, text.indexOf(marker)).replaceAll(/[§¶]/g, "").split("\n");
  return {
    text: text.replaceAll(/[§¶]/g, ""),
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  };
}

/** A program on disk, with the places that are to be told. */
export function written(
  program: Program,
  folder: string,
): { readonly file: string; readonly at: CallSite; readonly caller?: CallSite } {
  mkdirSync(folder);
  writeFileSync(`${folder}/dep.ts`, DEP);
  let at: CallSite | undefined;
  let caller: CallSite | undefined;
  for (const [name, marked] of Object.entries(program)) {
    const file = `${folder}/${name}`;
    const { text, line, column } = unmarked(marked, "§");
    if (marked.includes("§")) at = { file, line, column };
    if (marked.includes("¶")) {
      const call = unmarked(marked, "¶");
      caller = { file, line: call.line, column: call.column };
    }
    writeFileSync(file, text);
  }
  const file = Object.keys(program).find(name => name.startsWith("deploy."))!;
  return { file: `${folder}/${file}`, at: at!, ...(caller ? { caller } : {}) };
}

/** A piece with names of its own. */
export const own = (piece: string, id: number): string => piece.replaceAll(/\$(?!\{)/g, String(id));

/** Any of them. */
export const program = fc
  .record({
    place: fc.constantFrom(...PLACES),
    before: fc.uniqueArray(fc.nat(BEFORE.length - 1), { maxLength: 8 }),
    thrower: fc.constantFrom(...THROWS),
    newline: fc.constantFrom("\n", "\n", "\r\n"),
  })
  .map(({ place, before, thrower, newline }) =>
    Object.fromEntries(
      Object.entries(
        place(before.map((piece, index) => own(BEFORE[piece]!, index + 1)).join("\n"), own(thrower, 99)),
      ).map(([name, text]) => [name, text.replaceAll("\n", newline)]),
    ),
  )
  .filter(isWritable);

/** A program of JavaScript has no types. */
function isWritable(files: Program): boolean {
  return Object.entries(files).every(([name, text]) => {
    try {
      new Bun.Transpiler({ loader: name.endsWith("ts") ? "ts" : "js" }).scan(text.replaceAll(/[§¶]/g, ""));
      return true;
    } catch {
      return false;
    }
  });
}
