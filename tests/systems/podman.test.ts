import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { PodmanPs, PodmanSystemInfo } from "../../src/facts/podman.ts";
import { askFact, mustRun } from "../support/apply.ts";
import { podmanEngine } from "../support/engines.ts";

setDefaultTimeout(120_000);
let engine: Awaited<ReturnType<typeof podmanEngine>>;

beforeAll(async () => void (engine = await podmanEngine()), 300_000);
afterAll(() => engine[Symbol.asyncDispose]());

test("facts about podman say what it is and what it runs", async () => {
  expect(await askFact(PodmanPs, {}, engine.host)).toEqual([]);
  const id = (await mustRun(engine.host, "podman run -d --name one --label a=b busybox:1 sleep 600")).trim();
  const found = await askFact(PodmanPs, {}, engine.host);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ Id: id, Names: ["one"], State: "running", Labels: { a: "b" } });
  await mustRun(engine.host, "podman stop -t 0 one");
  expect((await askFact(PodmanPs, {}, engine.host))[0]).toMatchObject({ State: "exited" });
  expect(await askFact(PodmanSystemInfo, {}, engine.host)).toMatchObject({
    host: { ociRuntime: { name: "runc" } },
    store: { containerStore: { number: 1 } },
  });
});
