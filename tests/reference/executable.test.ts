import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { spawn } from "../support/test-host.ts";

const directory = mkdtempSync(join(tmpdir(), "reference-"));
afterAll(() => rmSync(directory, { recursive: true }));
const tsinfra = async (...args: string[]) =>
  spawn(["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", directory, await executable(), ...args]);

test("the executable carries the reference", async () => {
  const docs = await tsinfra("docs", "files.put");
  expect(docs.stdout).toStartWith("files.put\n");
  expect((await tsinfra("completions", "bash")).stdout).toContain("\nfiles.put\n");
}, 300_000);

test("wrong arguments are told at the user's line, before anything runs, and without types", async () => {
  const marker = join(directory, "marker");
  const refused = async (line: string) => {
    writeFileSync(
      join(directory, "deploy.js"),
      `import { host } from "tsinfra";\nimport { apt, files, server } from "tsinfra/operations";\nimport { File } from "tsinfra/facts/files";\nserver.shell({ commands: "touch ${marker}" });\n${line}\n`,
    );
    const ended = await tsinfra("@local", "deploy.js", "-y");
    expect([ended.exitCode, await Bun.file(marker).exists()]).toEqual([1, false]);
    return ended.stderr
      .split("\n")
      .filter(text => /^(?:Error|Hint| {2}at )/.test(text))
      .join("\n");
  };
  expect(await refused('files.file({ path: "/tmp/x", mode: 0o644 });')).toBe(
    'Error: Argument "mode" of files.file must be an octal string such as "644", found the number 420 (host @local)\n  at deploy.js:5:7\nHint: Write "644"',
  );
  expect(await refused('apt.packages({ pakages: ["vim"] });')).toBe(
    'Error: Unknown argument "pakages" of apt.packages (host @local)\n  at deploy.js:5:5\nHint: Did you mean "packages"?',
  );
  expect(await refused('await host.getFact(File, { pth: "/x" });')).toContain(
    'Error: Unknown argument "pth" of files.File (host @local)\n  at deploy.js:5:',
  );
  expect(await refused("files.put({ content: 'x', dest: host.getFact(File, { path: '/x' }) });")).toContain(
    'Argument "dest" of files.put must be a string, found a promise (host @local)\n  at deploy.js:5:7\nHint: Put `await` before it',
  );
}, 300_000);
