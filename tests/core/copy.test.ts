/** Copies that later changes do not reach. */
import { describe, expect, test } from "bun:test";
import { Secret, sh } from "../../src/core/command.ts";
import { copyOf } from "../../src/core/copy.ts";
import * as kind from "../../src/core/kind.ts";

class Site {
  names = ["a"];
}

describe("is a copy of", () => {
  const cases: readonly (readonly [what: string, value: object])[] = [
    ["a list", ["a", 1, null, undefined]],
    ["a list with holes", [1, , 3]],
    ["a list of lists and objects", [["a"], { b: [{ c: 1 }] }]],
    ["an object", { a: 1, b: { c: ["d"] }, [Symbol.for("e")]: { f: 1 } }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: { b: 1 } })],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["a buffer", Buffer.from("text")],
    ["numbers", new Float64Array([1.5, 2])],
    ["a view", new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)],
    ["raw memory", new Uint8Array([1, 2]).buffer],
    ["a Map", new Map<unknown, unknown>([["a", { b: [1] }]])],
    ["a Set", new Set<unknown>(["a", ["b"]])],
    ["a date", new Date(5)],
  ];
  for (const [what, value] of cases)
    test(what, () => {
      const copy = copyOf(value);
      expect(copy).not.toBe(value);
      expect(copy).toEqual(value);
      expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value));
    });
});

test("what is changed afterwards, however deep, is not seen in the copy", () => {
  const bytes = Buffer.from("abc");
  const given = { list: ["a"], deep: { map: new Map([["k", ["v"]]]), set: new Set([["s"]]) }, bytes, at: new Date(5) };
  const copy = copyOf(given);
  given.list.push("b");
  given.deep.map.get("k")?.push("w");
  given.deep.map.set("l", []);
  for (const item of given.deep.set) item.push("t");
  bytes.fill(0);
  given.at.setTime(9);
  expect(copy.list).toEqual(["a"]);
  expect([...copy.deep.map]).toEqual([["k", ["v"]]]);
  expect([...copy.deep.set]).toEqual([["s"]]);
  expect(copy.bytes.toString()).toBe("abc");
  expect(copy.at.getTime()).toBe(5);
});

test("nothing that can be seen is lost: hidden keys, symbols, a key called __proto__, holes", () => {
  const hidden = Object.defineProperty({ a: 1 }, "hidden", { value: ["x"], enumerable: false });
  const proto = JSON.parse('{"__proto__": {"polluted": ["x"]}}') as object;
  const [copy, copied] = [copyOf(hidden), copyOf(proto)];
  expect(Object.keys(copy)).toEqual(["a"]);
  expect(Reflect.get(copy, "hidden")).toEqual(["x"]);
  expect(Reflect.get(copy, "hidden")).not.toBe(Reflect.get(hidden, "hidden"));
  expect(JSON.stringify(copied)).toBe('{"__proto__":{"polluted":["x"]}}');
  expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
  expect(1 in copyOf([1, , 3])).toBe(false);
});

test("the copy of what is frozen can be changed", () => {
  const given: { list: string[] } = { list: ["a"] };
  Object.freeze(given.list);
  const copy = copyOf(Object.freeze(given) as { list: string[] });
  copy.list.push("b");
  expect(copy.list).toEqual(["a", "b"]);
  copy.list = ["c"];
  expect(copy.list).toEqual(["c"]);
});

test("what is held twice, or holds itself, does so in the copy", () => {
  const shared = ["x"];
  const given: { a: string[]; b: string[]; self?: unknown; list?: unknown[]; map?: Map<unknown, unknown> } = {
    a: shared,
    b: shared,
  };
  given.self = given;
  given.list = [given];
  given.map = new Map<unknown, unknown>([[shared, given]]);
  const copy = copyOf(given);
  expect(copy.a).toBe(copy.b);
  expect(copy.a).not.toBe(shared);
  expect(copy.self).toBe(copy);
  expect(copy.list?.[0]).toBe(copy);
  expect(copy.map?.get(copy.a)).toBe(copy);
});

describe("stays what it is:", () => {
  async function* lines(): AsyncGenerator<string> {
    yield "a";
  }
  const accessor = {
    get never(): string[] {
      throw new Error("called");
    },
    list: ["a"],
  };
  const proxy = (): object =>
    new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("walked");
        },
        getPrototypeOf() {
          throw new Error("walked");
        },
      },
    );
  const cases: readonly (readonly [what: string, value: unknown])[] = [
    ["a text", "a"],
    ["null", null],
    ["a function", () => {}],
    ["a promise", Promise.resolve()],
    ["a secret", new Secret("x")],
    ["a command", sh`true`],
    ["an instance of a class", new Site()],
    ["a list of a class of its own", new (class Names extends Array<string> {})()],
    ["what a pattern found", /(?<name>a)/.exec("a")],
    ["a module", kind],
    ["a proxy", proxy()],
    ["an object with an accessor", accessor],
    ["a stream", new ReadableStream()],
    ["a generator", lines()],
    ["an object that is walked asynchronously", { [Symbol.asyncIterator]: lines }],
    ["an error", new Error("x")],
    ["an address", new URL("http://host/")],
  ];
  for (const [what, value] of cases)
    test(what, () => {
      expect(copyOf(value)).toBe(value);
      expect(copyOf([{ value }])[0]?.value).toBe(value);
    });
});

test("data that is very deep is copied too", () => {
  let list: unknown[] = [];
  let object: Record<string, unknown> = {};
  for (let depth = 0; depth < 200_000; depth++) {
    list = [list];
    object = { object };
  }
  let copy: unknown = copyOf([list, object]);
  expect(copy).not.toBe(list);
  let depth = 0;
  for (copy = (copy as unknown[])[0]; Array.isArray(copy) && copy.length > 0; copy = copy[0]) depth++;
  expect(depth).toBe(200_000);
});

test("large bytes that stay as they are have one copy, however often they are given", () => {
  const bytes = new Uint8Array(1 << 20);
  const first = copyOf(bytes);
  expect(copyOf({ bytes }).bytes).toBe(first);
  bytes[5] = 1;
  const second = copyOf(bytes);
  expect([first[5], second[5]]).toEqual([0, 1]);
});
