/** Small Debian packages and a repository of them, made here: tests need no mirror to install something. @module */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "./rootfs.ts";

/** One package: a file that says its version, and an optional configuration file. */
export interface DebFile {
  readonly name: string;
  readonly version: string;
  readonly depends?: string;
  readonly recommends?: string;
}

/** Build a `.deb` into a directory; gives back its path. */
export async function buildDeb(directory: string, { name, version, depends, recommends }: DebFile): Promise<string> {
  const tree = mkdtempSync(join(tmpdir(), "deb-"));
  mkdirSync(join(tree, "DEBIAN"), { mode: 0o755 });
  mkdirSync(join(tree, "usr/share", name), { recursive: true });
  mkdirSync(join(tree, "etc"));
  writeFileSync(join(tree, "usr/share", name, "version"), version);
  writeFileSync(join(tree, "etc", `${name}.conf`), "as shipped\n");
  writeFileSync(join(tree, "DEBIAN/conffiles"), `/etc/${name}.conf\n`);
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: all",
    "Maintainer: Test <test@example.com>",
    "Description: for tests",
    depends && `Depends: ${depends}`,
    recommends && `Recommends: ${recommends}`,
  ];
  writeFileSync(join(tree, "DEBIAN/control"), `${control.filter(line => line).join("\n")}\n`);
  const file = join(directory, `${name}_${version}_all.deb`);
  await must(["dpkg-deb", "--root-owner-group", "--build", tree, file]);
  rmSync(tree, { recursive: true });
  return file;
}

/** Write the index of a directory of `.deb` files, as seen from where it is mounted. */
export async function indexDebs(directory: string, files: readonly string[]): Promise<void> {
  const entries = await Promise.all(
    files.map(async file => {
      const control = (await must(["dpkg-deb", "-f", file])).trim();
      return `${control}\nFilename: ./${file.slice(directory.length + 1)}\nSize: ${statSync(file).size}\nSHA256: ${createHash("sha256").update(readFileSync(file)).digest("hex")}\n`;
    }),
  );
  writeFileSync(join(directory, "Packages"), entries.join("\n"));
}
