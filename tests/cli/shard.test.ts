import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, "../..");
const INVENTORY = `
export const web = ["@local/web-1", "@local/web-2", "@local/web-3", "@local/web-4"];
export const db = { hosts: ["@local/db-1", "@local/db-2"], data: { port: 5432 } };
`;
const DEPLOY = `
import { inventory } from "tsinfra";
import { Kernel } from "tsinfra/facts/server";
import { server } from "tsinfra/operations";
const ports = inventory.getGroup("db").map(db => db.data["port"]).join();
const kernel = await inventory.getHost("@local/db-2").getFact(Kernel);
server.shell({ name: "All", commands: [\`echo \${inventory.length} \${ports} \${kernel}\`] });
server.shell({ name: "Once", commands: ["true"], _runOnce: true });
`;

let cwd: string;
beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-shard-")));
  await writeFile(join(cwd, "inventory.ts"), INVENTORY);
  await writeFile(join(cwd, "deploy.ts"), DEPLOY);
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

async function tsinfra(
  words: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), ...words], {
    cwd,
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
const events = (out: string): Record<string, unknown>[] =>
  out
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as Record<string, unknown>);
const run = (shard: string, ...more: string[]) =>
  tsinfra(["inventory.ts", "deploy.ts", "-y", "--json", "--shard", shard, ...more]);

describe("a deploy in shards", () => {
  let logs: readonly string[];
  beforeAll(async () => {
    const ran = await Promise.all(["1/3", "2/3", "3/3"].map(shard => run(shard)));
    expect(ran.map(({ code, err }) => [code, err])).toEqual(Array(3).fill([0, ""]));
    logs = ran.map(({ out }) => out);
    await Promise.all(logs.map((log, index) => writeFile(join(cwd, `${index + 1}.jsonl`), log)));
  });

  test("works on every host once; the others are known, with data and facts", () => {
    const hosts = logs.map(log =>
      events(log)
        .filter(event => event["type"] === "operation:host:end" && event["operation"] === "All")
        .map(event => event["host"]),
    );
    expect(hosts.flat().sort()).toEqual([
      "@local/db-1",
      "@local/db-2",
      "@local/web-1",
      "@local/web-2",
      "@local/web-3",
      "@local/web-4",
    ]);
    const printed = logs.flatMap(log =>
      events(log)
        .filter(event => event["type"] === "output" && event["for"] === "operation")
        .map(event => event["line"]),
    );
    expect(new Set(printed)).toEqual(new Set(["6 5432,5432 Linux"]));
  });

  test("writes its shard on every line, what it has on the first, how it ended on the last", () => {
    for (const [index, log] of logs.entries()) {
      const all = events(log);
      expect(new Set(all.map(event => event["shard"]))).toEqual(new Set([`${index + 1}/3`]));
      expect(all[0]).toMatchObject({ type: "shard:start", inventory: { hosts: 6 } });
      expect(all.at(-1)).toMatchObject({ type: "shard:end", exitCode: 0 });
    }
  });

  test("does once what is to be done once", () => {
    const outcomes = logs.flatMap(log =>
      events(log)
        .filter(event => event["type"] === "operation:host:end" && event["operation"] === "Once")
        .map(event => `${event["host"]} ${event["outcome"]}`),
    );
    expect(outcomes.filter(line => line.endsWith("changed"))).toEqual(["@local/web-1 changed"]);
    expect(outcomes).toHaveLength(6);
  });

  test("is one result when merged, from files or from standard input", async () => {
    const merged = await tsinfra(["report", "merge", "1.jsonl", "2.jsonl", "3.jsonl"]);
    expect([merged.code, merged.err]).toEqual([0, ""]);
    expect(merged.out).toMatch(/^ {2}All +6 +6 +- +- /m);
    expect(merged.out).toMatch(/^ {2}Once +6 +1 +- +5 /m);
    expect(merged.out).toMatch(/^Done: 7 changes on 6 hosts, /m);
    const piped = await tsinfra(["report", "merge", "--json", "-", "3.jsonl"], `${logs[1]}${logs[0]}`);
    expect([piped.code, piped.err]).toEqual([0, ""]);
    const [report] = events(piped.out);
    expect(report).toMatchObject({
      type: "report",
      ok: true,
      problems: [],
      shards: [{ shard: "1/3", log: "standard input" }, { shard: "2/3" }, { shard: "3/3", log: "3.jsonl" }],
    });
    expect((report!["hosts"] as { host: string }[]).map(({ host }) => host)).toEqual([
      "@local/web-1",
      "@local/web-2",
      "@local/web-3",
      "@local/web-4",
      "@local/db-1",
      "@local/db-2",
    ]);
  });

  test("merged without all of its logs fails and says why", async () => {
    await writeFile(join(cwd, "cut.jsonl"), logs[2]!.slice(0, 900));
    const merged = await tsinfra(["report", "merge", "1.jsonl", "cut.jsonl", "gone.jsonl"]);
    expect(merged.code).toBe(1);
    expect(merged.err).toContain("Problem: The log gone.jsonl cannot be read: ENOENT");
    expect(merged.err).toContain("Problem: Shard 2/3 is missing");
    expect(merged.err).toContain("Problem: The log of 3/3 (cut.jsonl) ends early");
  });
});

const execIn = (shard: string, limit: string, command: string) =>
  tsinfra(["inventory.ts", "exec", "--json", "--shard", shard, "--limit", limit, "--", command]);

test("a shard with a host that fails ends with 1, and so does the merge", async () => {
  const ran = await Promise.all(["1/2", "2/2"].map(shard => execIn(shard, "web", shard === "1/2" ? "false" : "true")));
  const merged = await tsinfra(["report", "merge", "-"], ran.map(({ out }) => out).join(""));
  expect([ran.map(({ code }) => code), merged.code, merged.err]).toEqual([[1, 0], 1, ""]);
  expect(merged.out).toMatch(/^Failed: 2 of 4 hosts failed, 2 changes, /m);
});

test("a shard of no hosts is fine: there may be more machines than hosts", async () => {
  const ran = await Promise.all(["1/3", "2/3", "3/3"].map(shard => execIn(shard, "@local/web-4", "true")));
  expect(ran.map(({ code }) => code)).toEqual([0, 0, 0]);
  const merged = await tsinfra(["report", "merge", "-"], ran.map(({ out }) => out).join(""));
  expect([merged.code, merged.err]).toEqual([0, ""]);
  expect(merged.out).toMatch(/^Done: 1 change on 1 host, /m);
});

test("a shard's own mistake is in its log", async () => {
  const failed = await tsinfra(["inventory.ts", "gone.ts", "-y", "--json", "--shard", "1/1"]);
  expect(failed.code).toBe(1);
  expect(events(failed.out).map(event => event["type"])).toEqual(["shard:start", "error", "shard:end"]);
  const merged = await tsinfra(["report", "merge", "-"], failed.out);
  expect([merged.code, merged.err]).toEqual([
    1,
    expect.stringMatching(/Problem: 1\/1 \(standard input\) failed: .*gone\.ts/),
  ]);
});

test("exec and debug-inventory keep to the shard, and say whose output it is even for one host", async () => {
  const [listed, ran] = await Promise.all([
    tsinfra(["inventory.ts", "debug-inventory", "--shard", "2/6"]),
    tsinfra(["inventory.ts", "exec", "--shard", "2/6", "--", "echo", "hi"]),
  ]);
  const hosts = Object.keys((JSON.parse(listed.out) as { hosts: object }).hosts);
  const width = Math.max(...hosts.map(host => host.length)) + 1;
  expect(hosts.length).toBeGreaterThan(0);
  expect(ran.out.trim().split("\n").sort()).toEqual(hosts.map(host => `${`${host}:`.padEnd(width)} hi`).sort());
});

describe("a wrong use", () => {
  test.each([
    ["0/3", "Shards count from 1: add 1 to an index that counts from 0"],
    ["4/3", "Write --shard 2/3 for the second of three"],
    ["1", "Write --shard 2/3 for the second of three"],
    ["a/b", "Write --shard 2/3 for the second of three"],
    ["1/0", "Write --shard 2/3 for the second of three"],
  ])("of --shard %s says what is wanted", async (shard, hint) => {
    expect(await tsinfra(["@local", "exec", "--shard", shard, "--", "true"])).toEqual({
      code: 2,
      out: "",
      err: `Error: Option --shard must be I/N with I from 1 to N, found "${shard}"\nHint: ${hint}\n`,
    });
  });

  test.each([
    [["report"], "There is nothing to do with a report"],
    [["report", "join"], 'There is no "report join"'],
    [["report", "merge"], "There is no log to merge"],
    [["report", "merge", "a", "a"], 'The log "a" is named twice'],
  ])("of %p says what is wanted", async (words, message) => {
    const { code, err } = await tsinfra(words);
    expect([code, err.split("\n")[0]]).toEqual([2, `Error: ${message}`]);
  });
});

test("the README shows the scripts that are tested", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const parallel = await readFile(join(ROOT, "fixtures/shards/parallel.sh"), "utf8");
  expect(readme).toContain(parallel.trim().split("\n").at(-1)!);
  expect(readme).toContain(await readFile(join(ROOT, "fixtures/shards/slurm.sh"), "utf8"));
  const job = await readFile(join(ROOT, "fixtures/shards/job.yaml"), "utf8");
  for (const line of [
    "completionMode: Indexed",
    "backoffLimitPerIndex: 0",
    ...job.split("\n").filter(line => line.includes("--shard")),
  ])
    expect(readme).toContain(line.trim());
});

interface Named {
  readonly name: string;
}
/** The fields that the test reads; it checks their values. */
interface Job {
  readonly spec: {
    readonly completions: number;
    readonly parallelism: number;
    readonly backoffLimit?: number;
    readonly backoffLimitPerIndex: number;
    readonly template: {
      readonly spec: {
        readonly volumes: readonly Named[];
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly args: readonly string[];
          readonly env: readonly (Named & { readonly value: string })[];
          readonly volumeMounts: readonly Named[];
        }[];
      };
    };
  };
}

test("the manifest for Kubernetes gives every index of the job its shard", async () => {
  const text = await readFile(join(ROOT, "fixtures/shards/job.yaml"), "utf8");
  const job = Bun.YAML.parse(text) as Job;
  expect(job).toMatchObject({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: expect.stringMatching(/^[a-z0-9-]+$/) },
    spec: { completionMode: "Indexed", template: { spec: { restartPolicy: "Never" } } },
  });
  const { completions, parallelism, backoffLimit, backoffLimitPerIndex, template } = job.spec;
  // A pod that fails ends its own index and no other.
  expect([parallelism <= completions, backoffLimit, backoffLimitPerIndex]).toEqual([true, undefined, 0]);
  expect(template.spec.containers).toHaveLength(1);
  const container = template.spec.containers[0]!;
  const mounted = container.volumeMounts.map(mount => mount.name).sort();
  expect(template.spec.volumes.map(volume => volume.name).sort()).toEqual(mounted);

  // What Kubernetes would run, for every index, with a program in the place of tsinfra.
  await writeFile(join(cwd, "tsinfra"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const shards = Array.from({ length: completions }, (_, index) => {
    const child = Bun.spawnSync([...container.command, ...container.args], {
      env: { ...env, PATH: `${cwd}:/usr/bin:/bin`, JOB_COMPLETION_INDEX: String(index) },
    });
    expect(child.exitCode).toBe(0);
    return child.stdout.toString().trim();
  });
  expect(shards).toEqual(
    shards.map((_, index) => expect.stringMatching(new RegExp(` --json --shard ${index + 1}/${completions}$`))),
  );
});
