import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createTemplates } from "../../src/deploy/template.ts";

const dir = mkdtempSync(join(tmpdir(), "templates-"));
afterAll(() => rmSync(dir, { recursive: true }));
const templates = createTemplates([join(dir, "deploy"), join(dir, "cwd")]);
let count = 0;

function write(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const render = (text: string, data: Record<string, unknown> = {}, options?: Record<string, unknown>) =>
  templates.render(write(`t${count++}.j2`, text), data, options);
const message = (promise: Promise<unknown>) =>
  promise.then(
    text => `rendered ${JSON.stringify(text)}`,
    (error: Error & { code?: string }) => `${error.code} ${error.message.replaceAll(dir, "")}`,
  );

test("Jinja2 text is rendered as it stands: no escaping, the last newline kept", async () => {
  expect(await render("a {{ x }} 'b' <c>\n", { x: "<&'\">" })).toBe("a <&'\"> 'b' <c>\n");
  expect(
    await render("{% for s in servers %}{{ loop.index }}:{{ s.name }}{% if not loop.last %},{% endif %}{% endfor %}", {
      servers: [{ name: "a" }, { name: "b" }],
    }),
  ).toBe("1:a,2:b");
  expect(
    await render("{%- set n = 2 -%} {{ n + 1 }}{# not this #}{% macro m(v) %}[{{ v }}]{% endmacro %}{{ m('x') }}"),
  ).toBe("3[x]");
});

test("Python's spellings work", async () => {
  const data = { d: { a: 1, b: 2 }, l: [3, 1, 2], flag: true };
  expect(
    await render(
      "{{ l[1:] }} {% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% if flag == True and not None %}yes{% endif %}",
      data,
    ),
  ).toBe("1,2 a=1;b=2; yes");
  expect(
    await render(
      "{{ l | min }} {{ l | max }} {{ [1,1,2] | unique }} {{ d | tojson }} {{ '%-4s|%03d|%.1f%%' | format('ab', 7, 2.55) }} {{ l | count }}",
      data,
    ),
  ).toBe('1 3 1,2 {"a":1,"b":2} ab  |007|2.5% 3');
  expect(
    await render("{{ s | map(attribute='n.m') | join('+') }} {{ w | map('upper') | join }} {{ s[0] | attr('k') }}", {
      s: [{ n: { m: 1 }, k: 0 }, { n: { m: 2 } }],
      w: ["a", "b"],
    }),
  ).toBe("1+2 AB 0");
});

test("whatever is undefined is an error where it is used, with file and line", async () => {
  expect(await message(render("one\n{{ nope }}"))).toMatch(/^E_TEMPLATE Template \/t\d+\.j2:2:4: "nope" is undefined$/);
  expect(await message(render("{% if nope %}{% endif %}"))).toContain(':1:7: "nope" is undefined');
  expect(await message(render("\n\n{% for x in nope %}{% endfor %}"))).toContain(':3:13: "nope" is undefined');
  expect(await message(render("{{ a.b.c }}", { a: {} }))).toContain('"a.b" is undefined');
  expect(await message(render("{{ a | upper }}"))).toContain('"a" is undefined');
  expect(await message(render("{% set x = a %}"))).toContain('"a" is undefined');
  expect(await message(render("{{ a.nope() }}", { a: {} }))).toContain('"a.nope" is undefined');
  expect(
    await render(
      "{{ a | default('x') }}{{ b.c | d('y') }}{% if a is defined %}no{% endif %}{% if b.c is undefined %}z{% endif %}",
      { b: {} },
    ),
  ).toBe("xyz");
});

test("mistakes are told with file and line, and the line itself", async () => {
  expect(await message(render("x\n{% forr a in b %}"))).toMatch(/\.j2:2:4: unknown block tag: forr$/);
  expect(await message(render("\n{{ x | nothing }}", { x: 1 }))).toMatch(/\.j2:2:8: filter not found: nothing$/);
  expect(await message(render("{% if x %}", { x: 1 }))).toContain("E_TEMPLATE");
  const error: unknown = await render("a\n  {{ nope }} b").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ hint: "That line is: {{ nope }} b" });
});

test("other templates are found beside the template, beside the deploy file, or in the working directory", async () => {
  write("sub/base.j2", "<{% block body %}base{% endblock %}>");
  write("sub/parts/one.j2", "one {{ name }}");
  write("deploy/two.j2", "two");
  write("cwd/macros.j2", "{% macro hi(n) %}hi {{ n }}{% endmacro %}");
  const path = write(
    "sub/child.j2",
    '{% extends "base.j2" %}{% block body %}{{ super() }} {% include "parts/one.j2" %} {% include "two.j2" %} {% import "macros.j2" as m %}{{ m.hi(name) }}{% endblock %}',
  );
  expect(await templates.render(path, { name: "ada" })).toBe("<base one ada two hi ada>");
  expect(await message(templates.render(path, {}))).toBe(
    'E_TEMPLATE Template /sub/parts/one.j2:1:8: "name" is undefined',
  );
  expect(await message(render('\n{% include "none.j2" %}'))).toContain('There is no template "none.j2"');
});

test("options of Jinja2's environment are understood in both spellings", async () => {
  const text = "{% if true %}\n  yes\n{% endif %}\n";
  expect(await render(text)).toBe("\n  yes\n\n");
  expect(await render(text, {}, { trim_blocks: true, keepTrailingNewline: false })).toBe("  yes\n");
  expect(await render("<< x >> {{ x }}", { x: 1 }, { variableStartString: "<<", variable_end_string: ">>" })).toBe(
    "1 {{ x }}",
  );
  expect(await message(render("", {}, { trimBlock: true }))).toContain('"trimBlock" is no option');
});

test("a typed template is a module that gives the text", async () => {
  const path = write(
    "site.ts",
    "interface Data { readonly port: number }\nexport default async ({ port }: Data): Promise<string> => `listen ${port};\\n`;\n",
  );
  expect(await templates.render(path, { port: 80 })).toBe("listen 80;\n");
  expect(await message(templates.render(write("odd $name #1%20.ts", "export default () => 'fine';\n"), {}))).toBe(
    'rendered "fine"',
  );
  expect(
    await message(
      templates.render(write("throws.ts", "export default (data: any) => {\n  return data.a.b;\n};\n"), {}),
    ),
  ).toMatch(/^E_TEMPLATE Template \/throws\.ts:2:\d+: .*data\.a/);
  expect(await message(templates.render(write("broken.ts", "export default () => {\n  const = 1;\n};\n"), {}))).toMatch(
    /^E_TEMPLATE Template \/broken\.ts:2:\d+: /,
  );
  expect(await message(templates.render(write("none.ts", "export const x = 1;\n"), {}))).toContain(
    "its default export is not a function",
  );
  expect(await message(templates.render(write("number.ts", "export default () => 1;\n"), {}))).toContain(
    "it returned a value of type number, not text",
  );
});
