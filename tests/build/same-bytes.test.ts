import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "../support/test-host.ts";

const ROOT = join(import.meta.dir, "../..");
const copies: string[] = [];
afterAll(() => copies.forEach(path => rmSync(path, { recursive: true, force: true })));

test("the same sources give the same bytes, wherever they lie", async () => {
  const one = await copyOf(ROOT, "one");
  const other = await copyOf(one, "another-with-a-longer-name");
  expect(await built(other)).toBe(await built(one));
}, 600_000);

/** A copy of the project in a directory of its own, its packages included. */
async function copyOf(from: string, name: string): Promise<string> {
  const copy = join(mkdtempSync(join(tmpdir(), "build-")), name);
  copies.push(join(copy, ".."));
  mkdirSync(copy);
  for (const path of [
    "src",
    "tests",
    "patches",
    "fixtures/licences",
    "LICENSE",
    "build.ts",
    "package.json",
    "bun.lock",
    "tsconfig.json",
  ])
    cpSync(join(from, path), join(copy, path), { recursive: true });
  // Not one link to the packages, which would lead both builds to the same place; a link for each file, since there are many.
  const linked = await spawn(["cp", "-al", join(from, "node_modules"), join(copy, "node_modules")]);
  if (linked.exitCode !== 0) cpSync(join(from, "node_modules"), join(copy, "node_modules"), { recursive: true });
  return copy;
}

/** Hash of the executable that a copy builds. */
async function built(copy: string): Promise<string> {
  const made = await spawn([process.execPath, join(copy, "build.ts")]);
  if (made.exitCode !== 0) throw new Error(made.stderr);
  return createHash("sha256")
    .update(readFileSync(join(copy, "dist/tsinfra")))
    .digest("hex");
}
