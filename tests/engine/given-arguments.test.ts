/** What an operation was given is what it was at the call, whatever the deploy file does afterwards. */
import { expect, test } from "bun:test";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { Secret } from "../../src/core/command.ts";
import { fact } from "../../src/core/fact.ts";
import { call } from "../../src/operations/ts.ts";

import { deploy, host, inventory, local, operation, raw, sh } from "../../src/public/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

interface Given {
  readonly words?: readonly string[];
  readonly data?: object;
  readonly bytes?: Uint8Array;
}
const put = operation<Given>({
  name: "test.put",
  async *steps(_, given) {
    const { words = [], data = {}, bytes = [] } = given;
    yield sh`put ${raw(JSON.stringify([words, data, [...bytes]]))}`;
  },
});
const seen: unknown[] = [];
const look = operation<{ readonly what: unknown }>({
  name: "test.look",
  async *steps(_, { what }) {
    seen.push(what);
    yield sh`look`;
  },
});
const Echo = fact<{ readonly words: readonly string[] }, string>({
  name: "test.Echo",
  command: ({ words }) => sh`echo ${words.join(" ")}`,
  empty: "",
  parse: lines => lines.join("\n"),
});

test("lists, objects, bytes and sets that change after the call", async () => {
  const fake = fakeRun(["a"]);
  const error = await runAll(fake, async () => {
    const words = ["keep"];
    const data = { deep: { list: [1] }, names: new Map([["k", "v"]]) };
    const bytes = new Uint8Array([1]);
    put({ words, data, bytes });
    await Promise.resolve();
    words.push("extra");
    data.deep.list.push(2);
    bytes[0] = 2;
    put({ words, data, bytes });
  });
  expect(error).toBeUndefined();
  expect(fake.sent.filter(line => line.includes("put"))).toEqual([
    'a: put [["keep"],{"deep":{"list":[1]},"names":{}},[1]]',
    'a: put [["keep","extra"],{"deep":{"list":[1,2]},"names":{}},[2]]',
  ]);
});

test("an object that is used again in each round of a loop", async () => {
  const fake = fakeRun(["a"]);
  await runAll(fake, () => {
    const data = { v: "" };
    for (const v of ["one", "two"]) {
      data.v = v;
      put({ data });
    }
  });
  expect(fake.sent).toEqual(['a: put [[],{"v":"one"},[]]', 'a: put [[],{"v":"two"},[]]']);
});

test("global arguments that are lists", async () => {
  const inputs: string[] = [];
  const fake = fakeRun(["a"], {
    answer: async (_, command, { stdin }) => {
      if (command.startsWith("put") && stdin)
        inputs.push(await new Response(stdin as AsyncIterable<Uint8Array>).text());
      return { exitCode: 3 };
    },
  });
  const error = await runAll(fake, () => {
    const codes = [0, 3];
    const input = ["one"];
    put({ _successExitCodes: codes, _stdin: input });
    codes.pop();
    const bytes = new TextEncoder().encode("two\n");
    input[0] = "three";
    put({ words: ["b"], _successExitCodes: [3], _stdin: bytes });
    bytes.fill(0);
  });
  expect(error).toBeUndefined();
  expect(inputs).toEqual(["one\n", "two\n"]);
});

test("what a function of ts.call is called with", async () => {
  const got: unknown[] = [];
  await runAll(fakeRun(["a"]), () => {
    const list = ["one"];
    call({ function: (_, given) => void got.push(given), args: [list] });
    list[0] = "two";
  });
  expect(got).toEqual([["one"]]);
});

test("the data of a deploy and of an include", async () => {
  const read: unknown[] = [];
  const later = async (): Promise<void> => {
    await Promise.resolve();
    read.push([...(host.data["list"] as unknown[])]);
    (host.data["list"] as unknown[]).push(host.name);
    call({ function: ({ data }) => void read.push([...(data["list"] as unknown[])]) });
  };
  const data = { list: ["x"] };
  const fake = fakeRun(["a", "b"], {}, { loadDeploy: async name => ({ name, evaluate: async () => later() }) });
  const own = deploy("Own", later, { data });
  const error = await runAll(fake, async () => {
    await own();
    await local.include("other.ts", { data });
  });
  expect(error).toBeUndefined();
  expect(data).toEqual({ list: ["x"] });
  expect(read.filter(list => (list as unknown[]).length === 1)).toEqual([["x"], ["x"], ["x"], ["x"]]);
  expect(read.slice(4)).toEqual([
    ["x", "a"],
    ["x", "b"],
    ["x", "a"],
    ["x", "b"],
  ]);
});

test("questions to the host, those too that wait for operations before them", async () => {
  const connectors = new Map([["local", createLocalConnector()]]);
  const fake = fakeRun([{ name: "a", connector: "local", address: "" }], {}, { connectors });
  const answers: unknown[] = [];
  const ask = async (): Promise<void> => {
    const words = [""];
    const asked = ["one", "two"].map(word => {
      words[0] = word;
      return host.getFact(Echo, { words });
    });
    answers.push(await Promise.all(asked));
  };
  const error = await runAll(fake, async () => {
    await ask();
    call({ function: ask });
  });
  expect(error).toBeUndefined();
  expect(answers).toEqual([
    ["one", "two"],
    ["one", "two"],
  ]);
});

test("what is held twice is one thing still; what is no plain data is what was given", async () => {
  seen.length = 0;
  const list = ["x"];
  const secret = new Secret("x");
  const fn = (): void => {};
  await runAll(fakeRun(["a", "b"]), () => {
    if (host.name === "a")
      look({ what: { one: list, two: list, secret, fn, host, other: inventory.getHost("b"), data: host.data } });
  });
  const { one, two, ...rest } = seen[0] as Record<string, unknown>;
  expect(one).toBe(two);
  expect(one).not.toBe(list);
  expect(rest["secret"]).toBe(secret);
  expect(rest["fn"]).toBe(fn);
  expect(rest["host"]).toBe(host);
  expect(String(Reflect.get(rest["other"] as object, "name"))).toBe("b");
});

test("the hosts of the inventory stay those that they are", async () => {
  const pairs: (readonly [unknown, unknown])[] = [];
  seen.length = 0;
  await runAll(fakeRun(["a", "b"]), () => {
    if (host.name === "b") return;
    look({ what: [...inventory.hosts] });
    pairs.push([(seen.at(-1) as unknown[])?.[1], inventory.getHost("b")]);
  });
  for (const [given, known] of pairs) expect(given).toBe(known);
  expect(pairs).toHaveLength(1);
});
