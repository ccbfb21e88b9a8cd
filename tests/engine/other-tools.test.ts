/** What people write who come from other tools, or from other places of a deploy. */
import { expect, test } from "bun:test";
import { call } from "../../src/operations/ts.ts";
import { deploy, fact, type NoArguments, sh } from "../../src/public/index.ts";
import { run, scope } from "../support/asking.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

test("a member of a handle by the name that others have for it is an error that tells ours", async () => {
  const web = deploy("web", () => void run({ command: "inside" }));
  const fakes = fakeRun(["a"]);
  await runAll(fakes, () => {
    const own = run({ command: "one" });
    const read = (): unknown => Reflect.get(own, "will_change", own);
    expect(read).toThrow(expect.objectContaining({ hint: 'It is "willChange"' }));
    for (const name of ["toJSON", "constructor", "nodeType", "asymmetricMatch", "length", "catch"])
      expect([name, typeof Reflect.get(own, name, own)]).toEqual([
        name,
        name === "constructor" ? "function" : "undefined",
      ]);
    for (const handle of [own, web()])
      for (const [name, ours] of [
        ["did_change", "didChange"],
        ["changed", "didChange"],
        ["didchange", "didChange"],
        ["did_changed", "didChange"],
        ["rc", "didError"],
        ["didSucced", "didSucceed"],
      ] as const) {
        const read = (): unknown => Reflect.get(handle, name, handle);
        expect(read).toThrow(`A handle has no "${name}"`);
        expect(read).toThrow(expect.objectContaining({ hint: `It is "${ours}"` }));
      }
  });
  expect(fakes.of("results")[0]!.ok).toBe(true);
});

test("a deploy is called with one object", async () => {
  const web = deploy("web", (_: { port?: number }) => void run({ command: "inside" })) as (...args: unknown[]) => void;
  const error = await runAll(fakeRun(["a"]), () => web("purge", 3));
  expect(error).toMatchObject({
    message: 'deploy("web") is called with one object of arguments, found text, a number',
  });
  expect(await runAll(fakeRun(["a"]), () => web(new Map()))).toMatchObject({
    message: 'deploy("web") is called with one object of arguments, found a Map',
  });
});

test.each([
  ["a Map", [new Map()], "The name of deploy() must be text, found a Map"],
  ["a list", [[]], "The name of deploy() must be text, found a list"],
  ["nothing", [], "The name of deploy() must be text, found undefined"],
  ["an empty name", ["", () => {}], "The name of deploy() must be text, found an empty one"],
  ["no body", ["web", { data: {} }], 'The body of deploy("web") must be a function, found an object'],
  ["a generator", ["web", function* () {}], 'The body of deploy("web") must be a function, found a generator function'],
  ["a class", ["web", class {}], 'The body of deploy("web") must be a function, found a class'],
  ["a list of options", ["web", () => {}, []], 'The options of deploy("web") must be an object, found a list'],
  ["null", ["web", () => {}, null], 'The options of deploy("web") must be an object, found null'],
  ["another option", ["web", () => {}, { _sudo: true }], 'deploy("web") has no option "_sudo"'],
  ["a Map as data", ["web", () => {}, { data: new Map() }], 'The data of deploy("web") must be an object, found a Map'],
])("a deploy of %s is refused", (_, given, message) => {
  const make = deploy as (...given: readonly unknown[]) => unknown;
  expect(() => make(...given)).toThrow(expect.objectContaining({ code: "E_DEPLOY", message }));
});

test("arguments are no Map", async () => {
  const error = await runAll(fakeRun(["a"]), () => void run(new Map() as never));
  expect(error).toMatchObject({ message: expect.stringContaining("must be an object, found a Map") });
});

test("in a callback an include has ended when its operations have run", async () => {
  const seen: boolean[] = [];
  const fakes = fakeRun(
    ["a"],
    {},
    { loadDeploy: async name => deployOf(() => void run({ command: "included" }), name) },
  );
  await runAll(fakes, () => {
    call({ function: async () => void seen.push((await scope().local.include("./more.ts")).didChange()) });
  });
  expect(seen).toEqual([true]);
});

test("a fact of another host that fails is told of that host", async () => {
  const Pool = fact<NoArguments, string>({ name: "my.Pool", command: () => sh`pool`, parse: () => "", empty: "" });
  const fakes = fakeRun(["a", "b"], {
    answer: (host, sent) => (host === "b" && sent === "pool" ? { exitCode: 6, stderr: "no such pool\n" } : undefined),
  });
  await runAll(fakes, async () => {
    const { host, inventory } = scope();
    if (host.name === "a") await inventory.getHost("b").getFact(Pool);
  });
  expect(fakes.of("host:failed")).toMatchObject([
    { host: "a", error: { message: "Cannot ask my.Pool of b: no such pool" } },
  ]);
});

test("a second object of arguments is refused, and what map adds is not", async () => {
  const Pool = fact<NoArguments, string>({ name: "my.Pool", command: () => sh`pool`, parse: () => "", empty: "" });
  const fakes = fakeRun(["a"]);
  const told: unknown[] = [];
  const message = (error: unknown) => told.push((error as Error).message);
  await runAll(fakes, async () => {
    [{ command: "one" }, { command: "two" }].forEach(run as (args: { command: string }) => void);
    try {
      Reflect.apply(run, undefined, [{ command: "three" }, { _sudo: true }]);
    } catch (error) {
      message(error);
    }
    await (Reflect.apply(scope().host.getFact, undefined, [Pool, {}, { _timeout: 1 }]) as Promise<unknown>).catch(
      message,
    );
  });
  expect(told).toEqual([
    "The operation test.run is called with more than one object of arguments",
    "The fact my.Pool is asked with more than one object of arguments",
  ]);
  expect(fakes.sent).toEqual(["a: one", "a: two"]);
});
