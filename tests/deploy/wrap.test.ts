import { describe, expect, test } from "bun:test";
import { wrapDeploy } from "../../src/deploy/wrap.ts";

/** The line and column of a marker, as a source file shows it. */
const place = (text: string, marker: string): string => {
  const before = text.slice(0, text.indexOf(marker)).split("\n");
  return `${before.length}:${before.at(-1)!.length}`;
};
const transpiles = (contents: string): string => new Bun.Transpiler({ loader: "ts" }).transformSync(contents);

describe("a deploy script becomes a function", () => {
  const cases: Record<string, string> = {
    "plain imports": `import { a } from "tsinfra";\nimport b from 'b'\nMARK(a, b);`,
    "an import over several lines with comments": `import {\n  a, // the a from "x"\n  /* b */ b,\n} from "tsinfra";\nMARK(a);`,
    "a side effect, a namespace and a type": `import "./x.ts";\nimport * as y from "y";\nimport type { T } from "t";\nMARK(y as T);`,
    attributes: `import data from "./x.json" with { type: "json" };\nMARK(data);`,
    "a URL in a specifier": `import x from "http://example.org/x.ts"; MARK(x);`,
    "a shebang": `#!/usr/bin/env tsinfra\nimport { a } from "a";\nMARK(a);`,
    "exports of declarations": `export const x = 1;\nexport async function f() {}\nexport class C {}\nexport type T = string;\nexport interface I {}\nMARK();`,
    "export lists and re-exports": `const a = 1;\nexport { a };\nexport { b } from "b";\nexport * from "c";\nexport type { D } from "d";\nMARK();`,
    "words that look like imports": `const s = "import x from 'y'";\nconst t = \`\${"import z"} import y from "q"\`;\n// import c from "c"\nconst o = { import: 1, export: 2 };\no.import;\nMARK(s, t);`,
    "regular expressions": `const r = /import "x" \\/ [/"]/g; const d = 4 / 2 / 1;\nMARK(r, d);`,
    "dynamic import and import.meta": `const m = await import("node:fs");\nconst u = import.meta.url;\nMARK(m, u);`,
    "an import after code": `const x = 1;\nimport { a } from "a";\nMARK(a, x);`,
    "import equals": `import fs = require("node:fs");\nMARK(fs);`,
    "top-level await and using": `await Promise.resolve();\nfor await (const x of []) MARK(x);`,
  };
  for (const [name, source] of Object.entries(cases)) {
    test(`${name}: what stays keeps its place`, () => {
      const { contents, isFunction, firstLineShift } = wrapDeploy(source);
      expect(isFunction).toBe(false);
      const [line, column] = place(contents, "MARK").split(":").map(Number);
      expect(`${line}:${column! - (line === 1 ? firstLineShift : 0)}`).toBe(place(source, "MARK"));
      const imports = new Bun.Transpiler({ loader: "ts" }).scan(contents);
      const wanted = new Bun.Transpiler({ loader: "ts" }).scan(source);
      expect(imports.imports.map(item => item.path).sort()).toEqual(wanted.imports.map(item => item.path).sort());
      expect(() => transpiles(contents)).not.toThrow();
    });
  }
  test("a file with a default export is left as it is", () => {
    const source = `#!/usr/bin/env tsinfra\nimport { a } from "a";\nexport default async function (host) { a(host); }\n`;
    const { contents, isFunction } = wrapDeploy(source);
    expect(isFunction).toBe(true);
    expect(contents.slice(22)).toBe(source.slice(22));
  });
});
