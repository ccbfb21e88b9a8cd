/** Programs of this machine that are run for what they print. */
import { expect, test } from "bun:test";
import { runChild } from "../../src/cli/child.ts";
import { localShell } from "../../src/engine/operation/local-shell.ts";

const shell = (command: string, keeps?: number) =>
  runChild(["/bin/sh", "-c", command], { cwd: "/", env: process.env, ...(keeps === undefined ? {} : { keeps }) });

test("all that a program prints is there, and how it ended", async () => {
  expect(await shell("printf 'größe\\n'; echo wrong >&2; exit 3")).toEqual({
    exitCode: 3,
    stdout: "größe\n",
    stderr: "wrong\n",
    isCut: false,
  });
  expect((await shell("head -c 20000000 /dev/zero")).stdout).toHaveLength(20_000_000);
});

test("where less is wanted, the end of each stream is kept; only of standard output it is told", async () => {
  const long = "i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); done";
  const cut = await shell(long, 100);
  expect(cut.isCut).toBe(true);
  expect(cut.stdout).toEndWith("\n998\n999\n");
  expect(cut.stdout.length).toBeLessThanOrEqual(100);
  const noisy = await shell(`{ ${long}; } >&2; echo fine`, 100);
  expect(noisy).toMatchObject({ stdout: "fine\n", isCut: false });
  expect(noisy.stderr.length).toBeLessThanOrEqual(100);
});

test("local.shell gives no half of an output for the whole", async () => {
  const ran = (isCut: boolean, exitCode = 0) => ({
    localShell: async () => ({ exitCode, stdout: "end\n", stderr: "", stdoutLines: ["end"], stderrLines: [], isCut }),
  });
  expect(await localShell(ran(false), ["a", "b"])).toBe("end\nend");
  for (const options of [{}, { ignoreErrors: true }])
    await expect(localShell(ran(true), "cat log", options)).rejects.toMatchObject({
      code: "E_COMMAND",
      message: "Command printed more than 8 MiB on the control machine: cat log",
      hint: "Send what it prints to a file, or print less: `| tail`, `| grep`",
    });
  await expect(localShell(ran(true, 2), "cat log")).rejects.toThrow("Command failed with exit code 2");
});
