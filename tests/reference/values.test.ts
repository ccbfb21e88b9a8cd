import { expect, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { argumentFromText, type ValueType, valueFromText } from "../../src/reference/index.ts";

const expectValues = (type: ValueType, values: Readonly<Record<string, unknown>>): void => {
  for (const [text, value] of Object.entries(values)) expect([text, valueFromText(type, text)]).toEqual([text, value]);
};
const WORDS: ValueType = { any: ["string", { list: "string" }] };

test("text stays text, whatever it looks like", () => {
  expectValues("string", {
    true: "true",
    "007": "007",
    "3.10": "3.10",
    "a,b": "a,b",
    "[x]": "[x]",
    '{"a":1}': '{"a":1}',
    null: "null",
    "": "",
  });
});

test("numbers and truth values are read where they are wanted, and anything else is left for the check", () => {
  expectValues("number", { "5": 5, "-2.5": -2.5, five: "five", "": "" });
  expectValues("boolean", { true: true, FALSE: false, yes: "yes", "1": "1" });
  expectValues({ any: ["boolean", "null"] }, { null: null, true: true });
  expectValues({ is: ["on", "off", 3] }, { on: "on", "3": 3, other: "other" });
});

test("where text and something else will do, what is exactly something else is that", () => {
  expectValues({ any: [{ is: [true] }, "string"] }, { true: true, "644": "644" });
  expectValues({ any: ["string", "number"] }, { "80": 80, http: "http" });
});

test("a list is written with commas, or as JSON", () => {
  expectValues({ list: "string" }, { "a,b": ["a", "b"], "a, b": ["a", "b"], one: ["one"], "": [], '["a,b"]': ["a,b"] });
  expectValues({ list: "number" }, { "1,2": [1, 2], "1,x": [1, "x"] });
  expectValues({ tuple: ["string", "number"] }, { "origin,2": ["origin", 2] });
});

test("one or several: words with commas are several, sentences and quoted text are one", () => {
  expectValues(WORDS, {
    vim: "vim",
    "vim,git": ["vim", "git"],
    "echo a, b": "echo a, b",
    "a, b": "a, b",
    "f(a,b)": "f(a,b)",
    '"a,b"': "a,b",
    '["a","b"]': ["a", "b"],
  });
});

test("objects and maps are JSON", () => {
  expectValues({ map: "string" }, { '{"a":"b"}': { a: "b" }, "a=b": "a=b" });
  expectValues({ fields: { host: "string" } }, { '{"host":"h"}': { host: "h" } });
});

test("a password that may be a secret becomes one, and content does not", () => {
  const type: ValueType = { any: ["string", "secret"] };
  const value = argumentFromText("psqlPassword", type, "hunter2");
  expect(value instanceof Secret && value.reveal()).toBe("hunter2");
  expect(argumentFromText("content", type, "text")).toBe("text");
  expect(argumentFromText("password", "string", "text")).toBe("text");
});

test("where anything will do, plain numbers and truth values are such", () => {
  expectValues("unknown", { true: true, "5": 5, "007": "007", text: "text", "[1]": [1], '{"a":1}': { a: 1 } });
});

test("dates are read in ISO form", () => {
  expect(valueFromText("date", "2024-05-01T10:00:00Z")).toEqual(new Date("2024-05-01T10:00:00Z"));
  expect(valueFromText("date", "tomorrow")).toBe("tomorrow");
});
