/** Values of Ansible inventories are what Ansible makes of them: the tables were measured with PyYAML 6.0 and Python's `ast.literal_eval`. */
import { describe, expect, test } from "bun:test";
import { pythonLiteral } from "../../src/connectors/inventory/ansible/python.ts";
import { parseYaml, Unsafe } from "../../src/connectors/inventory/ansible/yaml.ts";
import { InventoryError } from "../../src/core/errors.ts";

const warnings: string[] = [];
const yaml = (text: string): unknown => parseYaml(text, "/x/all.yml", warning => void warnings.push(warning));
const rows = (table: Readonly<Record<string, unknown>>): [string, unknown][] => Object.entries(table);

describe("YAML", () => {
  test.each(
    rows({
      ...Object.fromEntries(
        ["no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map(word => [word, false]),
      ),
      ...Object.fromEntries(["yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"].map(word => [word, true])),
      ...Object.fromEntries(["y", "n", "Y", "N", "nO", "oFF", "tRUE", "nULL"].map(word => [word, word])),
      "": null,
      "~": null,
      Null: null,
      "0644": 420,
      "0o644": "0o644",
      "-0644": -420,
      "08": "08",
      "0_7": 7,
      "0x1F": 31,
      "0b11": 3,
      "1_000": 1000,
      "+12": 12,
      "-3": -3,
      "1:30": 90,
      "1:30:00": 5400,
      "1:30.5": 90.5,
      "0:30": "0:30",
      "1:60": "1:60",
      "8080:80": "8080:80",
      ".5": 0.5,
      "1.": 1,
      "1.10": 1.1,
      "1.10.0": "1.10.0",
      "1e3": "1e3",
      "1.0e3": "1.0e3",
      "1.0e+3": 1000,
      "1.5E-1": 0.15,
      "-.INF": -Infinity,
      ".nan": NaN,
      "2001-12-14": "2001-12-14",
      "2001-12-14 21:59:43": "2001-12-14 21:59:43",
      "12345678901234567890": "12345678901234567890",
      '"no"': "no",
      "'0644'": "0644",
      "!!str 0644": "0644",
      "!!int '7'": 7,
      "[no, 010, y]": [false, 8, "y"],
      "{on: off}": { true: false },
      "|\n  no\n": "no\n",
    }),
  )("a: %s is %p", (text, value) => {
    expect(yaml(`a: ${text}`)).toEqual({ a: value });
  });

  test("merges maps; what a map says itself wins, of several the first", () => {
    expect(yaml("b: &x {p: 1, q: 2}\nc:\n  q: 3\n  <<: *x\n")).toEqual({ b: { p: 1, q: 2 }, c: { p: 1, q: 3 } });
    expect(yaml("x: &x {p: 1}\ny: &y {p: 2, r: 3}\nc: {<<: [*x, *y]}")).toMatchObject({ c: { p: 1, r: 3 } });
    expect(yaml(`x: &x {p: 1}\ny: [${"*x, ".repeat(500)}]`)).toMatchObject({ x: { p: 1 } });
  });

  test("has the last of two equal keys, and says so", () => {
    warnings.length = 0;
    expect(yaml("a: 1\nb: {c: 1, c: 2}\na: 2\n")).toEqual({ a: 2, b: { c: 2 } });
    expect(warnings).toEqual(["/x/all.yml has c, a twice in a map: the last one counts"]);
  });

  test("knows the tags of Ansible, and no others", () => {
    expect(yaml("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  31\nb: !unsafe '{{ x }}'\n")).toEqual({
      a: "$ANSIBLE_VAULT;1.1;AES256\n31\n",
      b: new Unsafe("{{ x }}"),
    });
    const refused = (): unknown => yaml("a: 1\nb: !mine 2\n");
    expect(refused).toThrow("/x/all.yml has what Ansible does not know: Unresolved tag: !mine");
    const error = ((): unknown => {
      try {
        return refused();
      } catch (thrown) {
        return thrown;
      }
    })();
    expect((error as InventoryError).at).toEqual({ file: "/x/all.yml", line: 2, column: 4 });
  });

  test("may be empty", () => {
    expect([yaml(""), yaml("---\n"), yaml("# nothing\n")]).toEqual([null, null, null]);
  });
});

describe("a value of an INI file", () => {
  test.each(
    rows({
      True: true,
      true: "true",
      yes: "yes",
      None: null,
      "1_000": 1000,
      "1__0": "1__0",
      _1: "_1",
      "0b11": 3,
      "0o17": 15,
      "-0x1f": -31,
      "+5": 5,
      "- 5": -5,
      "0644": "0644",
      "00": 0,
      "1.": 1,
      "1e3": 1000,
      "-1.5e-3": -0.0015,
      "1:30": "1:30",
      "1.10.0": "1.10.0",
      "12345678901234567890": "12345678901234567890",
      "80,443": [80, 443],
      "80,443,": [80, 443],
      "a,b": "a,b",
      "(1)": 1,
      "(1,)": [1],
      "(1, 2)": [1, 2],
      "()": [],
      "((1))": 1,
      "{1, 2}": [1, 2],
      "{}": {},
      "{'a': 1,}": { a: 1 },
      "[1, 'a', [2]]": [1, "a", [2]],
      "[a]": "[a]",
      "u'x'": "x",
      "r'\\n'": "\\n",
      "'\\d+'": "\\d+",
      "'a\\x41\\u00e9\\101'": "aAéA",
      "'a' 'b'": "ab",
      "'it''s'": "its",
      "'''x'''": "x",
      "8080 # all": 8080,
      "5 #": 5,
      "'x' # y": "x",
      "x # y": "x # y",
      " 5": 5,
      " x ": " x ",
      "...": "...",
      "": "",
    }),
  )("%s is %p", (text, value) => {
    expect(pythonLiteral(text)).toEqual(value);
  });
});
