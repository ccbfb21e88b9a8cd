import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { layeredData } from "../../src/engine/host-data.ts";
import { deploy, host, logger, operation, raw, sh } from "../../src/public/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string }>({
  name: "test.shell",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const data = (...layers: Readonly<Record<string, unknown>>[]) => layeredData("web", layers, () => {});

test("the logger takes any value, and shows no secret", async () => {
  const fake = fakeRun([{ name: "a", data: [{ port: 80, password: new Secret("hunter2"), names: ["x"] }] }]);
  await runAll(fake, () => {
    logger.info(host.data);
    logger.warn(5);
    logger.error(new TypeError("oops", { cause: 1 }));
    logger.info(sh`echo ${new Secret("hunter2")} ${"a b"}`);
    logger.info(null);
    host.log({ password: [new Secret("hunter2")] });
  });
  expect(fake.of("log").map(({ message }) => message)).toEqual([
    "{ port: 80, password: ***, names: [ 'x' ] }",
    "5",
    "TypeError: oops",
    "echo *** 'a b'",
    "null",
    "{ password: [ *** ] }",
  ]);
});

test("the current host as an argument is told by the argument's name", async () => {
  const own = operation<{ given: unknown }>({
    name: "test.own",
    async *steps(_, { given }) {
      yield sh`own ${Object.keys(given as object).join(" ")} ${JSON.stringify(given)}`;
    },
  });
  const told = async (given: () => unknown): Promise<unknown> =>
    runAll(fakeRun(["a"]), () => void own({ given: given() }));
  const hint = "Give what is needed of it: host.name, host.groups, host.data";
  expect(await told(() => host)).toMatchObject({
    message: 'Argument "given" of test.own is "host" itself, which means nothing outside of the deploy file',
    at: { file: import.meta.path },
    hint,
  });
  expect(await told(() => ({ list: [{ h: host }] }))).toMatchObject({
    message: expect.stringContaining('Argument "given.list[0].h" of test.own is "host" itself'),
    hint,
  });
  expect(await told(() => ({ logger }))).toMatchObject({
    message: expect.stringContaining('Argument "given.logger" of test.own is "logger" itself'),
    hint: "Give what is needed of it",
  });
  expect(await told(() => ({ name: host.name }))).toBeUndefined();
});

describe("host.data", () => {
  test("has the keys that there are, whichever way one asks", () => {
    const given = data({ port: 1, gone: undefined }, { name: "x" });
    const asked = (key: string): boolean[] => [
      Object.hasOwn(given, key),
      key in given,
      given.hasOwnProperty(key),
      Object.prototype.hasOwnProperty.call(given, key),
      Object.keys(given).includes(key),
    ];
    for (const key of ["port", "gone", "name"]) expect(asked(key)).toEqual([true, true, true, true, true]);
    for (const key of ["other", "get", "hasOwnProperty", "toString"])
      expect(asked(key)).toEqual([false, false, false, false, false]);
    expect(data({ hasOwnProperty: 1 })["hasOwnProperty"] as unknown).toBe(1);
  });

  test("is no text, and says so; what it holds may be called as what makes text of other objects", () => {
    const given = data({ port: 80 }, { name: "x" });
    for (const use of [String, Number, (value: unknown) => `${value}`])
      expect((): unknown => use(given)).toThrow("Host data is a map of values, and cannot be used as text");
    expect(data({ toString: "mine" })["toString"] as unknown).toBe("mine");
    expect(given["toString"]).toBeUndefined();
  });

  test("refuses in words what would do nothing", () => {
    const given = data({ port: 1 });
    expect(() => delete given["port"]).toThrow("Host data cannot be deleted: port");
    expect(() => delete given["other"]).toThrow("Host data cannot be deleted: other");
    expect(() => Object.defineProperty(given, "port", { value: 80 })).toThrow(
      "Host data is set by assigning: host.data.port = …",
    );
    expect(() => Object.freeze(given)).toThrow("Host data cannot be frozen or sealed");
    expect(() => Object.setPrototypeOf(given, {})).toThrow("Host data cannot have a prototype");
  });
});

describe("host.data.get", () => {
  test("gives the value of highest precedence, or the fallback", () => {
    const given = data(
      { port: 1, empty: "", no: false, zero: 0 },
      { port: 2, list: ["a"], gone: null, got: undefined },
    );
    expect(given.get("port", 80)).toBe(1);
    expect(given.get("list", ["b"])).toEqual(["a"]);
    expect([given.get("empty", "full"), given.get("no", true), given.get("zero", 5)]).toEqual(["", false, 0]);
    expect([given.get("other", 80), given.get("gone", 80), given.get("got", "x")]).toEqual([80, 80, "x"]);
    expect(given.get("port", undefined as unknown)).toBe(1);
  });

  test("refuses a value of another kind than its fallback, and does not show it", () => {
    const given = data({ port: "80", names: { a: 1 }, password: new Secret("x"), on: 1 });
    expect(() => given.get("port", 80)).toThrow('The data "port" must be a number like its fallback, found a text');
    expect(() => given.get("names", ["a"])).toThrow(
      'The data "names" must be a list like its fallback, found an object',
    );
    expect(() => given.get("password", "")).toThrow("must be a text like its fallback, found a secret");
    expect(() => given.get("on", true)).toThrow("must be true or false like its fallback, found a number");
  });

  test("is no key: neither listed, nor set, nor brought by an inventory, a deploy or an include", async () => {
    const given = data({ port: 1 });
    expect(Object.keys(given)).toEqual(["port"]);
    expect(() => Object.assign(given, { get: 1 })).toThrow('Host data cannot have the key "get"');
    expect(() => data({ port: 1 }, { get: 1 })).toThrow('Host data cannot have the key "get"');
    const fake = fakeRun(["a"]);
    const inner = deploy("Inner", () => void shell({ line: "no" }), { data: { get: 1 } });
    expect(await runAll(fake, () => void inner())).toMatchObject({
      message: 'Host data cannot have the key "get"',
      hint: "Give it another name: host.data.get(key, fallback) reads the value of a key",
    });
  });

  test("works in deploy files and in operations", async () => {
    const own = operation({
      name: "test.own",
      async *steps(on) {
        yield sh`own ${String(on.data.get("port", 80))}`;
      },
    });
    const fake = fakeRun(["a", { name: "b", data: [{ port: 8080 }] }]);
    await runAll(fake, () => {
      shell({ line: `${host.name} ${host.data.get("port", 80)}` });
      own();
    });
    expect(fake.sent).toEqual(["a: a 80", "b: b 8080", "a: own 80", "b: own 8080"]);
  });
});

test("a temporary file is one host's own, as two hosts may be one machine, and the same for the same key", async () => {
  const own = operation({
    name: "test.own",
    async *steps(on) {
      yield sh`own ${await on.tempFile("key", "/t")} ${await on.tempFile("key", "/t")}`;
    },
  });
  const fake = fakeRun(["a", "b"]);
  await runAll(fake, () => void own());
  const [a, b] = fake.sent.filter(line => line.includes("own")).map(line => line.split(" ").slice(2));
  expect([a?.[0], b?.[0]]).toEqual([a?.[1], b?.[1]]);
  expect(a?.[0]).toMatch(/^\/t\/tsinfra-[0-9a-f]{40}$/);
  expect(a?.[0]).not.toBe(b?.[0]);
});
