/** Checking files that a test writes, and running the program on them from its source. @module */
import { afterAll, beforeAll, expect } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { checkPlan, type CheckPlan, type Finding, planOfDirectory, planOfFiles } from "../../src/cli/check/index.ts";
import { dataKeysOf } from "../../src/inventory/index.ts";
import { createConnectors } from "../../src/connectors/index.ts";

export const ROOT = join(import.meta.dir, "../..");
let root: string;

/** Make a place for the directories of a test file, and remove it behind its last test. Call it once, at the top. */
export function checksFiles(): void {
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-check-test-")));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
}

let count = 0;
/** A directory with these files. */
export async function directory(files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(root, String(count++));
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** What is found, as `file:line:column message (hint)`. */
export async function check(cwd: string, ...files: string[]): Promise<readonly string[]> {
  const dataKeys = dataKeysOf(createConnectors().values());
  const plan =
    files.length === 0
      ? await planOfDirectory(cwd, undefined, { dataKeys })
      : await planOfFiles(
          files.map(file => join(cwd, file)),
          { cwd, dataKeys },
        );
  return (await found(plan, cwd)).map(
    ({ at, message, hint }) =>
      `${relative(cwd, at.file)}:${at.line}:${at.column} ${message}${hint === undefined ? "" : ` (${hint})`}`,
  );
}

/** What is found. */
export async function found(plan: CheckPlan, cwd: string): Promise<readonly Finding[]> {
  const { findings, output } = await checkPlan(plan, {
    cwd,
    connectors: createConnectors(),
    environment: process.env,
  });
  expect(output).toBeUndefined();
  return findings;
}

/** Run the program. */
export async function tsinfra(cwd: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "80" },
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}
