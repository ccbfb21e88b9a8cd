/** The compiled executable, for tests of what people really run. @module */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { lockFile } from "./machine.ts";
import { spawn } from "./test-host.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/tsinfra");

/** Path of the executable; built first if it is not of the sources as they are. */
export function executable(): Promise<string> {
  return (built ??= build());
}
let built: Promise<string> | undefined;

async function build(): Promise<string> {
  const stamp = join(ROOT, "dist/.tsinfra.from");
  const sources = hashOfSources();
  const isCurrent = () => existsSync(EXECUTABLE) && existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
  if (isCurrent()) return EXECUTABLE;
  const made = await spawn(["flock", lockFile("build"), process.execPath, join(ROOT, "build.ts")]);
  if (made.exitCode !== 0) throw new Error(`The executable was not built:\n${made.stderr}`);
  writeFileSync(stamp, sources);
  return EXECUTABLE;
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  const paths = [...new Glob("{src,patches}/**/*").scanSync({ cwd: ROOT })].sort();
  for (const path of [...paths, "build.ts", "package.json", "bun.lock", "tsconfig.json"])
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest("hex");
}
