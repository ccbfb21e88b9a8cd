/** Data that hosts share: what one of them makes of it is not seen by another. */
import { expect, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { ConnectionLostError } from "../../src/core/errors.ts";
import { fact } from "../../src/core/fact.ts";
import { call } from "../../src/operations/ts.ts";
import { host, inventory, sh } from "../../src/public/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

class Site {
  readonly names: string[] = [];
}
const Ready = fact<Record<never, never>, string>({
  name: "test.Ready",
  command: () => sh`ready`,
  empty: "",
  parse: lines => lines.join(),
});

test("a list or an object of a group is each host's own", async () => {
  const group = { vhosts: ["common"], nested: { deep: [1] } };
  const fake = fakeRun([
    { name: "a", data: [group] },
    { name: "b", data: [{}, group] },
  ]);
  const seen: Record<string, unknown> = {};
  await runAll(fake, () => {
    const vhosts = host.data.get("vhosts", [] as string[]);
    vhosts.push(`only-${host.name}`);
    (host.data["nested"] as { deep: unknown[] }).deep.push(host.name);
    seen[host.name] = { ...host.data };
  });
  expect(seen).toEqual({
    a: { vhosts: ["common", "only-a"], nested: { deep: [1, "a"] } },
    b: { vhosts: ["common", "only-b"], nested: { deep: [1, "b"] } },
  });
  expect(group).toEqual({ vhosts: ["common"], nested: { deep: [1] } });
});

test("a host reads the same object each time, in callbacks and from other hosts too", async () => {
  const fake = fakeRun(["a", "b"].map(name => ({ name, data: [{ list: ["x"] }] })));
  const same: boolean[] = [];
  await runAll(fake, () => {
    const list = host.data["list"] as string[];
    list.push(host.name);
    const isSame = (other: unknown): void => void same.push(other === list);
    isSame(host.data.get("list", []));
    isSame(Object.getOwnPropertyDescriptor(host.data, "list")?.value);
    isSame(inventory.getHost(host.name).data["list"]);
    call({
      function: control => {
        isSame(control.data["list"]);
        isSame(host.data["list"]);
      },
    });
    if (host.name === "b")
      call({ function: () => void same.push(String(inventory.getHost("a").data["list"]) === "x,a") });
  });
  expect(same).toEqual(Array.from({ length: 11 }, () => true));
});

test("what is no plain data is one thing for all hosts, and so is what was assigned the host's", async () => {
  const data = { site: new Site(), secret: new Secret("x"), fn: () => 1, list: ["x"] };
  const fake = fakeRun(["a", "b"].map(name => ({ name, data: [data] })));
  const fallback = ["mine"];
  const assigned = ["assigned"];
  const same: boolean[] = [];
  await runAll(fake, () => {
    same.push(host.data["site"] === data.site, host.data["secret"] === data.secret, host.data["fn"] === data.fn);
    same.push(host.data.get("other", fallback) === fallback);
    host.data["list"] = assigned;
    same.push(host.data["list"] === assigned);
  });
  expect(same).toEqual(Array.from({ length: 10 }, () => true));
});

test("a deploy that is evaluated again, as its connection was lost, begins with the data as it was", async () => {
  let lost = 0;
  const fake = fakeRun(
    [{ name: "a", data: [{ list: ["x"], early: ["e"] }] }],
    {
      answer: (_, command) =>
        command === "ready" && lost++ === 0 ? new ConnectionLostError("It was lost") : undefined,
    },
    { config: { retry: 1, retryDelay: 0 } },
  );
  const seen: unknown[] = [];
  const error = await runAll(
    fake,
    () => {
      (host.data["early"] as string[]).push("first file");
      host.data["own"] = ["first file"];
    },
    async () => {
      const { data } = host;
      (data["list"] as string[]).push("y");
      (data["early"] as string[]).push("second file");
      (data["own"] as string[]).push("second file");
      data["count"] = ((data["count"] as number | undefined) ?? 0) + 1;
      seen.push(structuredClone({ ...data }));
      await host.getFact(Ready);
    },
  );
  expect(error).toBeUndefined();
  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]).toEqual({
    list: ["x", "y"],
    early: ["e", "first file", "second file"],
    own: ["first file", "second file"],
    count: 1,
  });
});

test("looking for global arguments among the data touches no other key", async () => {
  const touched: string[] = [];
  const data = {
    get list(): string[] {
      touched.push("list");
      return ["x"];
    },
    _env: { A: "1" },
  };
  await runAll(fakeRun([{ name: "a", data: [data] }]), () => host.getFact(Ready));
  expect(touched).toEqual([]);
});

test("what a file makes of an answer is seen by nobody who asks again", async () => {
  const Users = fact<Record<never, never>, string[]>({
    name: "test.Users",
    command: () => sh`users`,
    empty: [],
    parse: lines => [...lines],
  });
  const fake = fakeRun(["a", "b"], { answer: name => ({ stdout: name === "a" ? "root\n" : "" }) });
  const seen: string[][] = [];
  await runAll(fake, async () => {
    for (const one of [host, inventory.getHost("a")]) {
      (await one.getFact(Users)).push("added");
      seen.push(await one.getFact(Users));
    }
  });
  expect(seen.map(users => users.join()).toSorted()).toEqual(["", "root", "root", "root"]);
});
