/** The two userlands that every operation on files is tried on. @module */
import { afterAll, beforeAll, describe } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chrootHost, localHost, type TestHost } from "./apply.ts";
import { busyboxRootfs, removeRootfs } from "./rootfs.ts";

/** A host with an empty directory of its own for each call of `fresh`. */
export interface Userland {
  readonly name: "GNU" | "busybox";
  readonly host: TestHost;
  /** Path, on the host, of a new directory. */
  fresh(): string;
  /** Where a path of the host is seen from here. */
  here(path: string): string;
}

/** Names that a careless command would trip over. */
export const HOSTILE_NAMES = [
  "with space",
  "it's",
  'dou"ble',
  "$(touch pwned)",
  "`touch pwned`",
  "new\nline",
  "-rf",
  "a;touch pwned",
  "back\\slash",
  "*",
  "$HOME",
  "a=b",
  "!",
  "é",
];

/** Describe the same behaviour on this machine and on a root file system with nothing but busybox. */
export function onUserlands(title: string, body: (userland: Userland) => void): void {
  for (const name of ["GNU", "busybox"] as const) {
    describe(`${title} (${name})`, () => {
      const started: { host?: TestHost; root?: string } = {};
      let count = 0;
      beforeAll(async () => {
        started.root = name === "busybox" ? await busyboxRootfs() : mkdtempSync(join(tmpdir(), "userland-"));
        started.host = name === "busybox" ? chrootHost(started.root) : localHost();
      }, 60_000);
      afterAll(() =>
        name === "busybox"
          ? removeRootfs(started.root ?? "")
          : rmSync(started.root ?? "", { recursive: true, force: true }),
      );
      const here = (path: string) => (name === "busybox" ? join(started.root ?? "", path) : path);
      body({
        name,
        get host() {
          if (!started.host) throw new Error("A test host exists only while its tests run");
          return started.host;
        },
        here,
        fresh() {
          const path = name === "busybox" ? `/tmp/w${count++}` : join(started.root ?? "", `w${count++}`);
          mkdirSync(here(path));
          return path;
        },
      });
    });
  }
}
