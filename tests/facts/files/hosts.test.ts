import { expect, test } from "bun:test";
import { chmodSync, linkSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { checksum } from "../../../src/core/checksum.ts";
import {
  Block,
  Directory,
  File,
  FileContents,
  FindDirectories,
  FindFiles,
  FindInFile,
  FindLinks,
  Link,
  Md5File,
  SameFile,
  Sha1File,
  Sha256File,
  Sha384File,
  Socket,
} from "../../../src/facts/files/index.ts";
import { askFact } from "../../support/apply.ts";
import { HOSTILE_NAMES, onUserlands } from "../../support/userlands.ts";

onUserlands("facts about files", userland => {
  const ask: typeof askFact = (fact, args) => askFact(fact, args, userland.host);

  test("what is at a path", async () => {
    const dir = userland.fresh();
    writeFileSync(userland.here(`${dir}/file`), "12345");
    chmodSync(userland.here(`${dir}/file`), 0o4751);
    utimesSync(userland.here(`${dir}/file`), 1_000_000_000, 1_100_000_000);
    symlinkSync("file", userland.here(`${dir}/link`));
    symlinkSync("nowhere", userland.here(`${dir}/dangling`));
    const listener = Bun.listen({ unix: userland.here(`${dir}/socket`), socket: { data() {} } });

    expect(await ask(File, { path: `${dir}/file` })).toMatchObject({
      type: "file",
      user: "root",
      group: "root",
      mode: "4751",
      size: 5,
      atime: new Date(1_000_000_000_000),
      mtime: new Date(1_100_000_000_000),
    });
    expect(await ask(Directory, { path: dir })).toMatchObject({ type: "directory", mode: "0755" });
    expect(await ask(Link, { path: `${dir}/link` })).toMatchObject({ type: "link", linkTarget: "file" });
    expect(await ask(Link, { path: `${dir}/dangling` })).toMatchObject({ type: "link", linkTarget: "nowhere" });
    expect(await ask(Socket, { path: `${dir}/socket` })).toMatchObject({ type: "socket" });
    expect(await ask(File, { path: "/dev/null" })).toMatchObject({ type: "character", mode: "0666" });
    expect(await ask(File, { path: `${dir}/absent` })).toEqual({ type: "absent" });
    expect((await ask(File, { path: "~/" })).type).toBe("directory");
    listener.stop();
  });

  test("names that a careless command would run or take for something else", async () => {
    const dir = userland.fresh();
    for (const name of HOSTILE_NAMES) {
      const path = `${dir}/${name}`;
      writeFileSync(userland.here(path), `${name}\n`);
      symlinkSync(name, userland.here(`${dir}/l${name}`));
      expect(await ask(File, { path })).toMatchObject({ type: "file", size: statSync(userland.here(path)).size });
      expect(await ask(Link, { path: `${dir}/l${name}` })).toMatchObject({ linkTarget: name });
      expect(await ask(Sha1File, { path })).toBe(checksum(`${name}\n`, "sha1"));
      expect((await ask(FileContents, { path }))?.join("\n")).toBe(name);
      expect(await ask(FindInFile, { path, pattern: "not in there" })).toEqual([]);
      expect(await ask(FindInFile, { path: `${path}-gone`, pattern: "x" })).toBeUndefined();
      expect(await ask(Block, { path })).toEqual([]);
      expect(await ask(Block, { path: `${path}-gone` })).toBeUndefined();
    }
  });

  test("checksums", async () => {
    const path = `${userland.fresh()}/x`;
    writeFileSync(userland.here(path), "content");
    expect([await ask(Md5File, { path }), await ask(Sha1File, { path }), await ask(Sha256File, { path })]).toEqual(
      ["md5", "sha1", "sha256"].map(algorithm => checksum("content", algorithm as "md5")),
    );
    // Busybox has no SHA-384.
    expect(await ask(Sha384File, { path })).toBe(
      userland.name === "GNU" ? checksum("content", "sha384") : (undefined as never),
    );
    expect(await ask(Sha1File, { path: `${path}-gone` })).toBeUndefined();
    expect(await ask(Sha1File, { path: userland.fresh() })).toBeUndefined();
  });

  test("lines that match, and blocks", async () => {
    const path = `${userland.fresh()}/conf`;
    writeFileSync(userland.here(path), "a=1\nb+c\n# BEGIN x\none\n\ntwo\n# END x\n");
    expect(await ask(FindInFile, { path, pattern: "^.=" })).toEqual(["a=1"]);
    expect(await ask(FindInFile, { path, pattern: "b+c" })).toEqual(["b+c"]);
    expect(await ask(FindInFile, { path, pattern: "(a=1|zzz)", extendedRegex: true })).toEqual(["a=1"]);
    expect(await ask(FindInFile, { path, pattern: "-e" })).toEqual([]);
    expect(await ask(Block, { path, marker: "# {mark} x" })).toEqual(["one", "", "two"]);
    writeFileSync(userland.here(path), "");
    expect(await ask(FileContents, { path })).toBeUndefined();
  });

  test("finding", async () => {
    const dir = userland.fresh();
    mkdirSync(userland.here(`${dir}/sub/deep`), { recursive: true });
    for (const [name, size] of [
      ["a.log", 10],
      ["B.LOG", 2000],
      ["sub/c.txt", 30],
    ] as const)
      writeFileSync(userland.here(`${dir}/${name}`), "x".repeat(size));
    symlinkSync("a.log", userland.here(`${dir}/link`));
    const names = async (found: Promise<readonly string[]>) =>
      (await found).map(path => path.slice(dir.length + 1)).sort();
    expect(await names(ask(FindFiles, { path: dir }))).toEqual(["B.LOG", "a.log", "sub/c.txt"]);
    expect(await names(ask(FindFiles, { path: dir, iName: "*.log" }))).toEqual(["B.LOG", "a.log"]);
    expect(await names(ask(FindFiles, { path: dir, fName: "*.log" }))).toEqual(["a.log"]);
    expect(await names(ask(FindFiles, { path: dir, minSize: 20, maxSize: "1KB" }))).toEqual(["sub/c.txt"]);
    expect(await names(ask(FindFiles, { path: dir, size: 10 }))).toEqual(["a.log"]);
    expect(await names(ask(FindFiles, { path: dir, maxDepth: 1, regex: ".*/a.*" }))).toEqual(["a.log"]);
    expect(await names(ask(FindFiles, { path: `${dir}/s*`, quotePath: false }))).toEqual(["sub/c.txt"]);
    expect(await names(ask(FindDirectories, { path: dir }))).toEqual(["", "sub", "sub/deep"]);
    expect(await names(ask(FindLinks, { path: dir }))).toEqual(["link"]);
    expect(await ask(FindFiles, { path: `${dir}/none` })).toEqual([]);
  });

  test("two names of one file", async () => {
    const dir = userland.fresh();
    writeFileSync(userland.here(`${dir}/one`), "");
    writeFileSync(userland.here(`${dir}/other`), "");
    linkSync(userland.here(`${dir}/one`), userland.here(`${dir}/two`));
    expect([
      await ask(SameFile, { path: `${dir}/one`, other: `${dir}/two` }),
      await ask(SameFile, { path: `${dir}/one`, other: `${dir}/other` }),
    ]).toEqual([true, false]);
  });
});
