/** Ending a process of a host, and knowing whether it has. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Shell } from "../../src/core/command.ts";
import { killTree, NOT_THERE, STILL_THERE, UNLISTED } from "../../src/engine/host/scripts.ts";
import { isAlive } from "../support/is-alive.ts";
import { needRoot } from "../support/machine.ts";

setDefaultTimeout(60_000);
needRoot("A process of another user");

const run = (script: Shell, shell: readonly string[] = ["sh"]): Promise<number> =>
  Bun.spawn([...shell, "-c", script.wire()], { stdout: "ignore", stderr: "ignore" }).exited;
const NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh"];

for (const shell of ["dash", "bash", "busybox sh"])
  test(`all of them are gone, those too that do not want to: ${shell}`, async () => {
    const stubborn = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & wait";
    await using parent = Bun.spawn(["sh", "-c", stubborn], { stdout: "pipe" });
    const { value } = await parent.stdout.getReader().read();
    const pids = [parent.pid, Number(Buffer.from(value!).toString())];
    expect(await run(killTree(parent.pid), shell.split(" "))).toBe(0);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

test("those of its group whose parents have gone are ended with it, unless that is our own group", async () => {
  const orphans = "(sleep 100 & echo $! ); sleep 100";
  for (const [words, survives] of [
    [["setsid", "sh", "-c", orphans], false],
    [["sh", "-c", orphans], true],
  ] as const) {
    await using parent = Bun.spawn([...words], { stdout: "pipe" });
    const { value } = await parent.stdout.getReader().read();
    const orphan = Number(Buffer.from(value!).toString());
    expect(await run(killTree(parent.pid))).toBe(0);
    expect([isAlive(parent.pid), isAlive(orphan)]).toEqual([false, survives]);
    if (survives) process.kill(orphan, "SIGKILL");
  }
});

for (const shell of ["dash", "bash", "busybox sh"])
  test(`those in groups of their own are ended as well, and waited for: ${shell}`, async () => {
    const stubborn = "trap '' TERM; echo $$; while :; do sleep 0.1; done";
    for (const inner of [`setsid sh -c "${stubborn}" & wait`, `timeout 100 sh -c "${stubborn}"; true`]) {
      await using parent = Bun.spawn(["setsid", "sh", "-c", inner.replaceAll("$$", "\\$\\$")], { stdout: "pipe" });
      const { value } = await parent.stdout.getReader().read();
      const child = Number(Buffer.from(value!).toString());
      expect(await run(killTree(parent.pid), shell.split(" "))).toBe(0);
      expect([parent.pid, child].map(isAlive)).toEqual([false, false]);
    }
  });

test("parents are ended before their children: what follows in a script does not run", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tsinfra-kill-"));
  const rest = join(directory, "rest");
  for (let round = 0; round < 20; round++) {
    await using parent = Bun.spawn(["setsid", "sh", "-c", `echo $$; sleep 100; sleep 101; echo rest >${rest}`], {
      stdout: "pipe",
    });
    const { value } = await parent.stdout.getReader().read();
    expect(await run(killTree(Number(Buffer.from(value!).toString())))).toBe(0);
  }
  expect(existsSync(rest)).toBe(false);
  rmSync(directory, { recursive: true });
});

test("what is begun while others are ended is ended too", async () => {
  for (let round = 0; round < 5; round++) {
    const jobs = `echo begun; for i in $(seq 1000); do sh -c 'exec sleep 100; :' & sleep 0.01; done`;
    await using parent = Bun.spawn(["setsid", "sh", "-c", jobs], { stdout: "pipe" });
    await parent.stdout.getReader().read();
    await Bun.sleep(50 * round);
    expect(await run(killTree(parent.pid))).toBe(0);
    const left = Bun.spawnSync(["ps", "-A", "-o", "pgid=,stat="]).stdout.toString();
    expect(left.split("\n").filter(line => new RegExp(`^ *${parent.pid} +[^Z]`).test(line))).toEqual([]);
  }
});

test("one that must not be signalled is not gone", async () => {
  await using other = Bun.spawn(["sleep", "100"]);
  expect(await run(killTree(other.pid), NOBODY)).toBe(STILL_THERE);
  expect(isAlive(other.pid)).toBe(true);
});

test("one that was gone before is told from one that is ended", async () => {
  const gone = Bun.spawn(["true"]);
  await gone.exited;
  expect(await run(killTree(gone.pid))).toBe(NOT_THERE);
});

test("where nothing lists processes, nobody says that all of them have gone", async () => {
  const blind = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
  await using parent = Bun.spawn(["setsid", "sh", "-c", "sleep 100; true"], { stdout: "ignore" });
  const script = `mount -t tmpfs none /proc; ps() { return 1; }; ${killTree(parent.pid, false).wire()}`;
  expect(await Bun.spawn([...blind, script], { stdout: "ignore", stderr: "ignore" }).exited).toBe(UNLISTED);
  expect(isAlive(parent.pid)).toBe(false);
});

test("without awk too, what does not want to end is killed", async () => {
  await using parent = Bun.spawn(["setsid", "sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done"], {
    stdout: "pipe",
  });
  await parent.stdout.getReader().read();
  const script = `awk() { return 127; }; ${killTree(parent.pid, false).wire()}`;
  expect(await Bun.spawn(["sh", "-c", script], { stdout: "ignore", stderr: "ignore" }).exited).toBe(UNLISTED);
  expect(isAlive(parent.pid)).toBe(false);
});

test("what is hidden and must not be signalled is not gone", async () => {
  const nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
  // As sudo is in a command of somebody who does not see what others run; where whoever has ended is asked about it.
  const scene = `mount -t proc -o hidepid=2 proc /proc
setsid sh -c "sleep 100 & exec ${nobody} sh -c 'sleep 100; true'" &
until [ "$(stat -c %u /proc/$!)" = 65534 ]; do :; done
${nobody} sh -c "$0" $!`;
  const script = killTree(4242).wire().replace("pid=4242", "pid=$0");
  const words = ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", scene, script];
  expect(await Bun.spawn(words, { stdout: "ignore", stderr: "ignore" }).exited).toBe(STILL_THERE);
});
