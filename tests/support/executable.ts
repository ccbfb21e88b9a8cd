/** The compiled executable, for tests of what people really run. @module */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { lockFile } from "./machine.ts";
import { spawn } from "./test-host.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/tsinfra");
const STAMP = join(ROOT, "dist/.tsinfra.from");

/** Path of the executable; built first if it is not of the sources as they are. */
export function executable(): Promise<string> {
  return (built ??= build());
}
let built: Promise<string> | undefined;

async function build(): Promise<string> {
  if (isCurrent()) return EXECUTABLE;
  // Test files run side by side: the first builds, the others wait, and find it built.
  const made = await spawn(["flock", lockFile("build"), process.execPath, import.meta.path]);
  if (made.exitCode !== 0) throw new Error(`The executable was not built:\n${made.stderr}`);
  return EXECUTABLE;
}

/** It was built of the sources as they are. */
function isCurrent(): boolean {
  return existsSync(EXECUTABLE) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === hashOfSources();
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  const paths = [...new Glob("{src,patches}/**/*").scanSync({ cwd: ROOT })].sort();
  for (const path of [...paths, "build.ts", "package.json", "bun.lock", "tsconfig.json"])
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest("hex");
}

// Run by itself, under a lock: build it, unless somebody just has.
if (import.meta.main && !isCurrent()) {
  const sources = hashOfSources();
  const { exitCode } = Bun.spawnSync([process.execPath, join(ROOT, "build.ts")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (exitCode !== 0) process.exit(exitCode);
  writeFileSync(STAMP, sources);
}
