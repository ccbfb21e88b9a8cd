/** A disk that is soon full: a megabyte of memory; needs root. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { needRoot, trace } from "./machine.ts";
import { must } from "./rootfs.ts";

export interface SmallDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
}

export async function smallDisk(): Promise<SmallDisk> {
  needRoot("A disk of its own");
  const made = trace();
  const path = join(made.directory, "disk");
  mkdirSync(path);
  made.undo(`umount -l ${path}`);
  await must(["mount", "-t", "tmpfs", "-o", "size=1m", "tsinfra-small", path]);
  return { path, [Symbol.asyncDispose]: async () => made.remove() };
}
