/** The user of the control machine. @module */
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { unlessLimit } from "./remembered.ts";

/** A user of this machine. */
export interface LocalUser {
  readonly name: string;
  readonly uid: number;
}

/** Who runs this process. Bun's `userInfo()` reads the name from the environment, which need not tell. */
export async function localUser(): Promise<LocalUser> {
  const { uid, username } = userInfo();
  const passwd = await readFile("/etc/passwd", "utf8").catch(unlessLimit(""));
  const named = passwd
    .split("\n")
    .map(line => line.split(":"))
    .find(fields => fields[2] === `${uid}`)?.[0];
  if (named) return { name: named, uid };
  // A directory service or macOS: only `id` knows.
  const id = await Bun.$`id -un`.nothrow().quiet();
  return { name: id.exitCode === 0 ? id.text().trim() : username, uid };
}
