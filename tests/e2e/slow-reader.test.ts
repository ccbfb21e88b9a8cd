import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { spawn } from "../support/test-host.ts";

setDefaultTimeout(180_000);

/** $0 is the executable, $1 a directory, $2 the command. Prints how many bytes came out, and the most memory that was used, in kB. */
const SLOWLY = `
mkfifo "$1/out"
"$0" @local exec -- "$2" >"$1/out" & run=$!
exec 3<"$1/out"
sleep 2
wc -c <&3 & count=$!
while now=$(sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$run/status 2>/dev/null) && [ -n "$now" ]; do
  peak=$now
  sleep 0.1
done
wait $count
echo "$peak"`;

test("what a slow reader leaves waiting is not collected in memory, and all of it arrives", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tsinfra-slow-"));
  try {
    const command = "head -c 300000000 /dev/zero | tr '\\0' x | fold";
    const { stdout, stderr } = await spawn(["sh", "-c", SLOWLY, await executable(), directory, command]);
    const [bytes, peak] = stdout.trim().split(/\s+/).map(Number);
    expect(stderr).toBe("");
    expect(bytes).toBe(303_749_999);
    expect(peak).toBeLessThan(200_000);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a reader that does not read at all holds nobody up who ends the run", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tsinfra-stuck-"));
  try {
    const script = `
mkfifo "$1/out"
"$0" @local exec -- 'echo $$ >'"$1"'/pid; exec yes' >"$1/out" 2>"$1/err" & run=$!
exec 3<"$1/out"
until [ -s "$1/pid" ]; do sleep 0.1; done
sleep 1
kill "$run"
wait "$run"
echo "$?"
kill -0 "$(cat "$1/pid")" 2>/dev/null || echo ended`;
    const { stdout } = await spawn(["sh", "-c", script, await executable(), directory]);
    expect(stdout).toBe("130\nended\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
