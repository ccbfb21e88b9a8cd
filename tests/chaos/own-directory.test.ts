/** The directory that a run has for its ssh processes: gone with the run, however that ends. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OwnDirectory } from "../../src/connectors/ssh/openssh/own-directory.ts";

setDefaultTimeout(60_000);

let parent: string;
beforeAll(async () => void (parent = await mkdtemp(join(tmpdir(), "tsinfra-own-"))));
afterAll(() => rm(parent, { recursive: true }));

/** Another process that makes one, has a process of its own work there, and does as it is told. */
async function other(then: string) {
  const program = `
    const { OwnDirectory } = await import(${JSON.stringify(join(import.meta.dir, "../../src/connectors/ssh/openssh/own-directory.ts"))});
    const own = new OwnDirectory(${JSON.stringify(parent)});
    const child = Bun.spawn(["sleep", "600"], { detached: true });
    own.hold(child.pid, child.exited);
    console.log(child.pid);
    ${then}`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  return { child, group: Number(Buffer.from(value ?? [])) };
}
const isThere = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};

test("a process that ends without a word leaves neither the directory nor what worked there", async () => {
  const { child, group } = await other("process.exit(3);");
  expect(await child.exited).toBe(3);
  while (isThere(group)) await Bun.sleep(5);
  expect(await readdir(parent)).toEqual([]);
});

test("what was left by a process that was killed is removed by the next, and nothing else", async () => {
  const { child, group } = await other("setInterval(() => {}, 1000);");
  const [left] = await readdir(parent);
  const own = new OwnDirectory(parent);
  await own.tidied;
  expect((await readdir(parent)).toSorted()).toEqual([left!, own.path.slice(parent.length + 1)].toSorted());
  await own.remove();

  child.kill("SIGKILL");
  await child.exited;
  // Of another machine or container that has the same files, whose processes nobody here knows; and a file.
  await mkdir(join(parent, `tsinfra-ssh-${child.pid}-others`));
  await writeFile(join(parent, `tsinfra-ssh-${child.pid}-others`, "place"), "elsewhere");
  await writeFile(join(parent, `tsinfra-ssh-${child.pid}-file`), "");
  const next = new OwnDirectory(parent);
  await next.tidied;
  await next.remove();
  expect((await readdir(parent)).toSorted()).toEqual([
    `tsinfra-ssh-${child.pid}-file`,
    `tsinfra-ssh-${child.pid}-others`,
  ]);
  process.kill(-group, "SIGKILL");
});
