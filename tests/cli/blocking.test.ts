/** What the program shares with whoever started it is left as it was. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { CLI, runToEnd } from "../support/spawn-cli.ts";

setDefaultTimeout(60_000);

// Only there a process can be asked for it.
if (process.platform === "linux")
  test.each([
    [["@local", "exec", "--", "true"], 0],
    [["@local", "nonsense"], 2],
    [["check", "/nonexistent.ts"], 2],
  ])("what comes behind %j in a script writes to the same pipe as ever", async (words, code) => {
    const flags = "grep flags: /proc/self/fdinfo/1 /proc/self/fdinfo/2";
    const script = `{ "$0" "$@"; echo "code $?"; ${flags}; } 2>&1 | cat`;
    const { out } = await runToEnd(["sh", "-c", script, ...CLI, ...words], "/");
    expect(out).toContain(`code ${code}\n`);
    const found = [...out.matchAll(/flags:\s+([0-7]+)/g)].map(([, octal]) => Number.parseInt(octal!, 8) & 0o4000);
    expect(found).toEqual([0, 0]);
  });
