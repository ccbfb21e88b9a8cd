import { describe, expect, test } from "bun:test";
import { Secret, sh } from "../../src/core/command.ts";
import { OperationTypeError } from "../../src/core/errors.ts";
import type { Operation } from "../../src/core/operation.ts";
import { inScope, type Scope } from "../../src/core/scope.ts";
import * as operations from "../../src/operations/index.ts";
import { markFunctions } from "../../src/reference/stray-text.ts";
import { argumentCheck, loadArgumentCheck, loadReference, type Signatures } from "../../src/reference/index.ts";
import { type FactCase, parseFactCase } from "../cases/fact-case.ts";
import { type CaseFile, caseFiles, readCase } from "../cases/files.ts";
import { type OperationCase, parseOperationCase } from "../cases/operation-case.ts";
import { decode } from "../cases/values.ts";

/** From source the compiler makes the reference anew when a source has changed. */
const ONCE = 120_000;
const SIGNATURES: Signatures = {
  operations: {
    "demo.put": {
      fields: {
        dest: "string",
        mode: { any: [{ is: [true] }, "string"] },
        content: { any: ["string", "bytes", "secret"] },
        packages: { any: ["string", { list: "string" }] },
        retries: "number",
        state: { is: ["started", "stopped"] },
        present: "boolean",
        headers: { map: { any: ["string", "secret"] } },
        mounts: { list: { fields: { source: "string", readOnly: "boolean" }, required: ["source"] } },
        branch: { tuple: ["string", "string"] },
        body: "function",
        when: "date",
        command: { any: ["string", "shell"] },
        free: "unknown",
        password: { any: ["string", "secret"] },
      },
      required: ["dest"],
    },
    "demo.set": { fields: {}, rest: "string" },
    "demo.update": { fields: {} },
  },
  facts: { "demo.File": { fields: { path: "string" }, required: ["path"] } },
  globals: {},
  aliases: { "old.put": "demo.put" },
};
const check = argumentCheck(SIGNATURES);

/** The message and the hint of what is thrown. */
function refusal(args: object, name = "demo.put", globals: object = {}): string {
  try {
    check(name, args, globals);
  } catch (error) {
    if (error instanceof OperationTypeError)
      return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    throw error;
  }
  return "";
}

test("arguments that are as their types say pass", () => {
  const right: object[] = [
    { dest: "/x", mode: true, present: false, retries: 0, state: "started" },
    {
      dest: "",
      mode: "644",
      content: new Uint8Array(2),
      packages: ["vim"],
      body: () => {},
      when: new Date(0),
      command: sh`ls`,
    },
    {
      dest: "/x",
      content: new Secret("s"),
      packages: [],
      headers: { "X-Any Thing": new Secret("s"), other: "o" },
      free: null,
    },
    { dest: "/x", mounts: [{ source: "/a" }, { source: "/b", readOnly: true }], branch: ["origin", "main"] },
  ];
  for (const args of right) expect(refusal(args)).toBe("");
});

test("what is undefined is not there", () => {
  expect(refusal({ dest: "/x", mode: undefined, mounts: [{ source: "/a", readOnly: undefined }] })).toBe("");
  expect(refusal({ dest: undefined })).toBe(
    'Missing argument "dest" of demo.put: a string (tsinfra docs demo.put tells its arguments)',
  );
});

describe("a wrong argument is told with", () => {
  const cases: readonly (readonly [what: string, args: object, message: string])[] = [
    [
      "the nearest name",
      { dest: "/x", pakages: "vim" },
      'Unknown argument "pakages" of demo.put (Did you mean "packages"?)',
    ],
    [
      "a global argument that is nearer",
      { dest: "/x", nam: "Put it" },
      'Unknown argument "nam" of demo.put (Did you mean the global argument "name"?)',
    ],
    [
      "a global argument that others spell so",
      { dest: "/x", sudo_user: "ada" },
      'Unknown argument "sudo_user" of demo.put (Did you mean the global argument "_sudoUser"?)',
    ],
    [
      "the argument that takes content",
      { dest: new Uint8Array(2) },
      'Argument "dest" of demo.put must be a string, found bytes (Content goes into "content": { content: bytes })',
    ],
    [
      "how content becomes bytes",
      { dest: new Blob(["a"]) },
      'Argument "dest" of demo.put must be a string, found an object (Content goes into "content": { content: await blob.bytes() })',
    ],
    [
      "what it must be and what was found",
      { dest: 5 },
      'Argument "dest" of demo.put must be a string, found the number 5',
    ],
    [
      "all the types it may have",
      { dest: "/x", packages: { a: 1 } },
      'Argument "packages" of demo.put must be a string or a list of strings, found the object {"a":1}',
    ],
    [
      "the place in a list",
      { dest: "/x", packages: ["vim", 7] },
      'Argument "packages[1]" of demo.put must be a string, found the number 7',
    ],
    [
      "the place in a map",
      { dest: "/x", headers: { "a-b": 7 } },
      'Argument "headers["a-b"]" of demo.put must be a string or a secret, found a number',
    ],
    [
      "what is missing inside",
      { dest: "/x", mounts: [{ source: "/a" }, {}] },
      'Argument "mounts[1]" of demo.put needs "source"',
    ],
    [
      "what is unknown inside",
      { dest: "/x", mounts: [{ source: "/a", readonly: true }] },
      'Argument "mounts[0]" of demo.put has no "readonly" (Did you mean "readOnly"?)',
    ],
    [
      "the nearest value",
      { dest: "/x", state: "startd" },
      'Argument "state" of demo.put must be "started" or "stopped", found "startd" (Did you mean "started"?)',
    ],
    [
      "a text that is no truth value",
      { dest: "/x", present: "yes" },
      'Argument "present" of demo.put must be true or false, found "yes"',
    ],
    [
      "how many there must be",
      { dest: "/x", branch: ["origin"] },
      'Argument "branch" of demo.put must be a list of 2 strings, found the list ["origin"]',
    ],
    ["null, which is not undefined", { dest: null }, 'Argument "dest" of demo.put must be a string, found null'],
    [
      "a number that is none",
      { dest: "/x", retries: Number.NaN },
      'Argument "retries" of demo.put must be a number, found the number NaN',
    ],
    [
      "a forgotten await",
      { dest: Promise.resolve("/x") },
      'Argument "dest" of demo.put must be a string, found a promise (Put `await` before it)',
    ],
  ];
  test.each(cases)("%s", (_, args, message) => expect(refusal(args)).toBe(message));
});

test("a mode given as a number is told to be an octal string, and which one", () => {
  const hint = (mode: number): string => refusal({ dest: "/x", mode });
  expect(hint(644)).toBe(
    'Argument "mode" of demo.put must be an octal string such as "644", found the number 644 (Write "644")',
  );
  expect(hint(0o644)).toContain('(Write "644")');
  expect(hint(0o4755)).toContain('(Write "4755")');
  expect(hint(400)).toContain('(Write "400")');
  expect(hint(-1)).toEndWith("found the number -1");
});

test("what may be a secret is never shown, and neither are secrets inside of something else", () => {
  expect(refusal({ dest: "/x", password: 12345678 })).toBe(
    'Argument "password" of demo.put must be a string or a secret, found a number',
  );
  expect(refusal({ dest: new Secret("hunter2") })).toBe('Argument "dest" of demo.put must be a string, found a secret');
  expect(refusal({ dest: { token: new Secret("hunter2") } })).toBe(
    'Argument "dest" of demo.put must be a string, found the object {"token":"***"}',
  );
});

test("long values are cut, and control characters stay out of the message", () => {
  expect(refusal({ dest: "/x", present: "a".repeat(100) })).toEndWith(`found "${"a".repeat(60)}…"`);
  expect(refusal({ dest: "/x", present: "\x1b[31m\n" })).toEndWith('found "\\u001b[31m\\n"');
  const loop: unknown[] = [];
  loop.push(loop);
  expect(refusal({ dest: loop })).toEndWith("found a list");
});

describe("text that was none is refused:", () => {
  markFunctions();
  const promise = Promise.resolve("x");
  const handle = new (class {
    readonly #changed = true;
    get didChange() {
      return () => this.#changed;
    }
  })();
  const missing: string | undefined = [].at(0);
  const cases: readonly (readonly [args: object, message: string])[] = [
    [
      { dest: `/srv/${promise}` },
      'Argument "dest" of demo.put holds a promise in place of its value: "/srv/[object Promise]" (Put `await` before it)',
    ],
    [
      { dest: "/x", content: `name ${promise}\n` },
      'Argument "content" of demo.put holds a promise in place of its value (Put `await` before it)',
    ],
    [
      { dest: "/x", content: new Secret(`name ${promise}`) },
      'Argument "content" of demo.put holds a promise in place of its value (Put `await` before it)',
    ],
    [
      { dest: "/x", packages: ["vim", `nano=${promise}`] },
      'Argument "packages[1]" of demo.put holds a promise in place of its value: "nano=[object Promise]" (Put `await` before it)',
    ],
    [
      { dest: "/x", command: sh`echo ${`a ${promise}`}` },
      'Argument "command" of demo.put holds a promise in place of its value: "a [object Promise]" (Put `await` before it)',
    ],
    [
      { dest: "/x", free: { site: { names: [`${promise}`] } } },
      'Argument "free.site.names[0]" of demo.put holds a promise in place of its value: "[object Promise]" (Put `await` before it)',
    ],
    [
      { dest: "/x", free: { "a-b": promise } },
      'Argument "free["a-b"]" of demo.put is a promise (Put `await` before it)',
    ],
    [
      { dest: `/srv/${handle.didChange}` },
      'Argument "dest" of demo.put holds a function in place of its result (Call it: write `()` behind it)',
    ],
    [
      { dest: "/x", content: "a" + String(() => "name") },
      'Argument "content" of demo.put holds a function in place of its result (Call it: write `()` behind it)',
    ],
    [
      { dest: "/x", headers: { a: `${Array.from}` } },
      'Argument "headers.a" of demo.put holds a function in place of its result (Call it: write `()` behind it)',
    ],
    [
      { dest: "/x", packages: [`nano=${handle}`] },
      'Argument "packages[0]" of demo.put holds an object in place of text: "nano=[object Object]" (Write which of its values is meant; an operation has its output in stdout, once it has run)',
    ],
    [
      { dest: "/x", content: `names ${new Map()}` },
      'Argument "content" of demo.put holds an object in place of text (Write which of its values is meant; an operation has its output in stdout, once it has run)',
    ],
    [
      { dest: `/srv/${missing}/x` },
      'Argument "dest" of demo.put holds "undefined" in place of a value: "/srv/undefined/x" (Say what stands there when the value is missing: `value ?? "…"`)',
    ],
    [
      { dest: "/x", content: `a\nport ${missing}\n` },
      'Argument "content" of demo.put holds "undefined" in place of a value (Say what stands there when the value is missing: `value ?? "…"`)',
    ],
    [
      { dest: "/x", packages: `vim\nnano=${missing}` },
      'Argument "packages" of demo.put holds "undefined" in place of a value: "nano=undefined" (Say what stands there when the value is missing: `value ?? "…"`)',
    ],
  ];
  test.each(cases)("%j", (args, message) => expect(refusal(args)).toBe(message));

  test("in names, variables and input as well, and in operations that are not ours", () => {
    const refused = (globals: object): string => refusal({ dest: "/x" }, "demo.put", globals).replace(/ \(.*/, "");
    expect(refused({ name: `Set up ${promise}` })).toBe(
      'Argument "name" of demo.put holds a promise in place of its value: "Set up [object Promise]"',
    );
    expect(refused({ _env: { A: "a", TOKEN: `${missing}` } })).toBe(
      'Argument "_env.TOKEN" of demo.put holds "undefined" in place of a value',
    );
    expect(refused({ _env: { TOKEN: `${handle}` } })).toBe(
      'Argument "_env.TOKEN" of demo.put holds an object in place of text',
    );
    expect(refusal({ anything: [`${handle}`] }, "mine.own")).toContain('"anything[0]" of mine.own holds an object');
    expect(refused({ _chdir: `/srv/${missing}` })).toContain('"_chdir" of demo.put');
    expect(refused({ _stdin: [`${promise}`], _if: () => true })).toContain('"_stdin[0]" of demo.put');
    expect(refusal({ anything: `${promise}` }, "mine.own")).toContain('"anything" of mine.own holds a promise');
  });
});

describe("`undefined` is refused where a value stands", () => {
  const refused = [
    "undefined",
    " 'undefined' ",
    "a: 1\nport: undefined\nb: 2",
    "- port: undefined",
    '{\n  "port": "undefined",\n}',
    "port = undefined",
    "server_name undefined;",
    "Port undefined",
    "PORT=undefined node x.js",
    'docker run -e PORT="undefined" app',
    "useradd --uid=undefined ada",
    "/srv/undefined",
    "/undefined/x",
    "~/undefined/x",
    "./undefined",
    "undefined/x",
    "cp /a /srv/undefined/x",
    "cat /etc/undefined; true",
    "https://undefined/x",
    "https://undefined:8080/x",
    "https://example.com/undefined?x",
    "proxy_pass http://undefined;",
    "undefined@web-1",
    "ada@undefined",
    "scp x ada@undefined:/x",
    "undefined:8080",
    "listen undefined:80",
  ];
  test.each(refused)("%j", text => expect(refusal({ dest: "/x", content: text })).toContain('holds "undefined"'));
  const left = [
    "Leave what is undefined alone",
    "Handle undefined services",
    "what is left undefined",
    "# the value is undefined here",
    "# null/undefined",
    "gcc -fsanitize=undefined x.c",
    "CFLAGS=-fsanitize=undefined",
    "LDFLAGS=-Wl,-undefined,dynamic_lookup",
    "ld -undefined dynamic_lookup",
    "grep -r undefined /var/log",
    "if (x === undefined) return;",
    "if (typeof x !== 'undefined') {",
    "let x = undefined;",
    "undefinedness",
    "/srv/undefined-behaviour",
    "/srv/undefined.txt",
    "isundefined=1",
    "mail@undefined.example.com",
    "sed -i '/undefined/d' /etc/hosts",
    "sed -n /undefined/p /etc/hosts",
    "sed -i '/^x/s/undefined/none/' /etc/hosts",
    "awk '/undefined/ { print }' /etc/hosts",
    "awk '/undefined/{print}' /etc/hosts",
    "sed '/undefined/,$d' /etc/hosts",
    "sed '/undefined/s/a/b/' /etc/hosts",
  ];
  test.each(left)("but not in %j", text => expect(refusal({ dest: "/x", content: text })).toBe(""));

  const others: readonly (readonly [word: string, text: string])[] = [
    ["NaN", `/srv/${Number("x")}`],
    ["NaN", `/srv/${Number("x")}/releases`],
    ["NaN", `mkdir -p /srv/${Number("x")} && ls`],
    ["NaN", `cp /a ~/${Number("x")}/b`],
    ["NaN", `/${Number("x")}/b`],
    ["NaN", `proxy_pass http://127.0.0.1:${Number("x")};`],
    ["Invalid Date", `/srv/${new Date("x")}`],
    ["Invalid Date", `/srv/backup-${new Date("x")}.tar`],
    ["Invalid Date", `tar -cf /srv/backup-${new Date("x")}.tar /etc`],
    ["Infinity", `http://web:${1 / 0}/`],
    ["null", `http://${null}/x`],
    ["null", `postgres://ada@${null}/db`],
    ["null", `http://web:${null}`],
  ];
  test.each(others)("so is what became %s in %j", (word, text) =>
    expect(refusal({ dest: "/x", content: text })).toContain(`holds "${word}" in place of a value`),
  );
  const honest = [
    "true > /dev/null",
    "mknod /srv/root/dev/null c 1 3",
    '"value": null,',
    "value: null",
    "x = null",
    "null",
    "/root/.terraform.d/plugins/registry.terraform.io/hashicorp/null/3.2.1",
    "https://github.com/guregu/null",
    "ALTER TABLE x ALTER y SET DEFAULT null",
    "null: /dev/null",
    "NaN",
    "fill = NaN",
    "rate NaN",
    "1,NaN,2",
    "drop what is non-NaN/Infinity",
    "sed -i '/NaN/d' data.csv",
    "sed 's/NaN/0/;/x/s/NaN/0/' data.csv",
    "# https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/NaN",
    "/opt/Infinity/bin",
    "limit: Infinity",
    "soft nofile Infinity",
    "Invalid Date",
    '"invalidDate": "Invalid Date",',
    "grep 'Invalid Date' /var/log/app.log",
    "Invalid Date/Time",
  ];
  test.each(honest)("but %j may be meant", text => expect(refusal({ dest: "/x", content: text })).toBe(""));

  test("a date that is none is refused where it is no text, too", () => {
    const hint = "It was made of what is no date: ask `Number.isNaN(date.getTime())` before";
    expect(refusal({ dest: "/x", free: [new Date("x")] })).toBe(
      `Argument "free[0]" of demo.put is an invalid date (${hint})`,
    );
    expect(refusal({ dest: "/x", when: new Date("x") })).toContain("found an invalid date");
    expect(refusal({ dest: "/x", free: [new Date(0)] })).toBe("");
  });

  test("and an object neither where its text is compared with, nor in a program", () => {
    expect(refusal({ dest: "/x", content: "if (String(x) === '[object Object]') x()" })).toBe("");
    expect(refusal({ dest: "/x", content: "finds an [object detection] model" })).toBe("");
    expect(refusal({ dest: "/srv/app.js", content: "case '[object Array]': f()" })).toBe("");
    expect(refusal({ dest: "/x", content: '"port": "[object Object]"' })).toContain("holds an object");
  });

  test("nor in a program, whose name is judged all the same", () => {
    expect(refusal({ dest: "/srv/app.js", content: "x = undefined" })).toBe("");
    expect(refusal({ dest: "/srv/undefined/app.js", content: "x = undefined" })).toContain('"dest" of demo.put holds');
    expect(refusal({ dest: "/srv/app.js", content: `x = ${Promise.resolve()}` })).toContain("holds a promise");
  });
});

test("marked functions are still their source", () => {
  markFunctions();
  const three = () => 3;
  expect(three.toString()).not.toContain("[function]");
  expect(new Function(`return (${three})()`)()).toBe(3);
});

test("operations and facts that are not ours take what they like", () => {
  expect(refusal({ anything: 1 }, "mine.own")).toBe("");
  expect(refusal({ anything: 1 }, "toString")).toBe("");
  expect(refusal({ key: "value" }, "demo.set")).toBe("");
  expect(refusal({ key: 1 }, "demo.set")).toContain("must be a string");
});

test("an old name is checked as the new one, and a fact as an operation", () => {
  expect(refusal({ dst: "/x" }, "old.put")).toContain('Unknown argument "dst" of old.put');
  expect(refusal({}, "demo.File")).toBe(
    'Missing argument "path" of demo.File: a string (tsinfra docs demo.File tells its arguments)',
  );
  expect(refusal({ cacheTime: 1 }, "demo.update")).toBe(
    'Unknown argument "cacheTime" of demo.update (It takes global arguments only, such as _sudo)',
  );
  expect(refusal({ path: "/x", nam: "a" }, "demo.File")).toBe('Unknown argument "nam" of demo.File (Known: path)');
  expect(refusal({ path: "/x", sud: true }, "demo.File")).toBe(
    'Unknown argument "sud" of demo.File (Did you mean the global argument "_sudo"?)',
  );
  expect(refusal([1], "demo.update")).toStartWith(
    "The arguments of demo.update must be an object, found the list [1] (Write ",
  );
  expect(refusal("/x" as never, "demo.File")).toBe(
    'The arguments of demo.File must be an object, found "/x" (Write { path: … })',
  );
});

test(
  "every example passes",
  async () => {
    const [checkAll, reference] = await Promise.all([loadArgumentCheck(), loadReference()]);
    let checked = 0;
    const call = ({ name }: Operation<object>, given: object) => {
      checkAll(
        name,
        Object.fromEntries(Object.entries(given).filter(([key]) => key !== "name" && !key.startsWith("_"))),
      );
      checked++;
      return { didChange: () => true };
    };
    const scope = { call, host: { name: "example", data: {}, getFact: async () => ({}) } } as unknown as Scope;
    const names = Object.keys(operations);
    const transpiler = new Bun.Transpiler({ loader: "ts", target: "bun" });
    const failed: string[] = [];
    for (const { name, examples } of reference.operations) {
      for (const example of examples.filter(text => !/^\s*import /m.test(text))) {
        const body = transpiler
          .transformSync(`export async function example() {\n${example}\n}`)
          .replace("export ", "");
        const run = new Function(...names, "Secret", "sh", `${body}\nreturn example();`) as (
          ...values: unknown[]
        ) => Promise<void>;
        await inScope(scope, () => run(...Object.values(operations), Secret, sh)).catch(error => {
          if (error instanceof OperationTypeError) failed.push(`${name}: ${error.message}`);
        });
      }
    }
    expect(failed).toEqual([]);
    expect(checked).toBeGreaterThan(reference.operations.length / 2);
  },
  ONCE,
);

test(
  "the arguments of every case pass, but for those that are about wrong ones",
  async () => {
    const checkAll = await loadArgumentCheck();
    const judge = (file: CaseFile, { args = {}, error }: FactCase | OperationCase): readonly string[] => {
      try {
        checkAll(file.name, decode(args) as object);
        return [];
      } catch (thrown) {
        if (!(thrown instanceof OperationTypeError)) throw thrown;
        return error?.["code"] === thrown.code ? [] : [`${file.path}: ${thrown.message}`];
      }
    };
    const cases = [
      ...caseFiles("operations").map(file => judge(file, parseOperationCase(readCase(file)))),
      ...caseFiles("facts").map(file => judge(file, parseFactCase(readCase(file)))),
    ];
    expect(cases.flat()).toEqual([]);
    expect(cases.length).toBeGreaterThan(0);
  },
  ONCE,
);
