import { expect, test } from "bun:test";
import {
  Block,
  FileContents,
  FindFiles,
  FindInFile,
  Flags,
  Md5File,
  Sha1File,
  File,
} from "../../../src/facts/files/index.ts";
import { parseStat } from "../../../src/facts/shared/stat.ts";

const stat = (name: string, mode = "lrwxrwxrwx") =>
  `user=ada lovelace group=staff mode=${mode} atime=1 mtime=-2 ctime=3 size=4 ${name}`;
const target = (name: string, path = "l") => {
  const found = parseStat([stat(name)], path);
  return found.linkTarget;
};

test("types and modes are read with all their bits", () => {
  const modes: Readonly<Record<string, [string, string]>> = {
    "-rwsr-sr-t": ["file", "7755"],
    "-rwSr-Sr-T": ["file", "7644"],
    drwxrwxrwt: ["directory", "1777"],
    "srw-rw----": ["socket", "0660"],
    "brw-rw----": ["block", "0660"],
    "crw-------": ["character", "0600"],
    "prw-r--r--": ["fifo", "0644"],
    "-rw-r--r--.": ["file", "0644"],
  };
  for (const [letters, [type, mode]] of Object.entries(modes))
    expect(parseStat([stat("'x'", letters)], "x")).toMatchObject({ type, mode });
});

test("names with spaces and times before 1970 are read", () => {
  expect(parseStat([stat("'x'", "-rw-r--r--")], "x")).toEqual({
    type: "file",
    mode: "0644",
    user: "ada lovelace",
    group: "staff",
    size: 4,
    atime: new Date(1000),
    mtime: new Date(-2000),
    ctime: new Date(3000),
  });
});

test("what a link points to is read from every flavour of stat", () => {
  expect(target("'l' -> '/a b'")).toBe("/a b");
  expect(target(`'l' -> "it's"`)).toBe("it's");
  expect(target(`'l' -> 'a -> b'`)).toBe("a -> b");
  expect(target(`'x -> y' -> 'z'`, "x -> y")).toBe("z");
  expect(target(`'l' -> 'new'$'\\n''line'`)).toBe("new\nline");
  expect(target(`'l' -> 'caf'$'\\303\\251'`)).toBe("café");
  expect(target(`'l' -> 'it'\\''s "q"'`)).toBe(`it's "q"`);
  expect(target("'l' -> 'it's'")).toBe("it's");
  expect(target("`l' -> `old GNU'")).toBe("old GNU");
  expect(target("l -> bsd's own")).toBe("bsd's own");
  expect(target("/home/ada/l -> x", "~/l")).toBe("x");
});

test("ls is read where there is no stat; a date without a year is left out", () => {
  expect(
    parseStat(["-rw-r--r--    1 root     root           127 Jan  1  1970 /etc/hosts"], "/etc/hosts").mtime,
  ).toEqual(new Date(0));
  const recent = parseStat(["lrwxrwxrwx. 1 a b 12 Nov  7 19:21 x -> /bin/busybox"], "x");
  expect(recent).toEqual({ type: "link", mode: "0777", user: "a", group: "b", size: 12, linkTarget: "/bin/busybox" });
  expect(parseStat(["brw-rw----    1 root     disk        8,   0 Feb  3  2024 /dev/sda"], "/dev/sda")).toMatchObject({
    type: "block",
    mtime: new Date("2024-02-03T00:00:00Z"),
  });
  expect(parseStat(["-rw-r--r-- 1 a b 1 2024-02-03 04:05 x"], "x").mtime).toEqual(new Date("2024-02-03T04:05:00Z"));
});

test("output that nobody knows is an error that shows it", () => {
  expect(() => parseStat(["permission denied"], "x")).toThrow(
    new SyntaxError("Neither stat nor ls wrote this: permission denied"),
  );
  expect(() => Md5File.parse(["no such command"], { path: "x" })).toThrow("Not a checksum of 32 hex digits");
});

test("checksums are read as GNU, busybox and BSD write them", () => {
  const digest = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
  for (const line of [`${digest}  x`, `\\${digest}  a\\nb`, `SHA1 (a (b) = c) = ${digest.toUpperCase()}`, digest])
    expect(Sha1File.parse([line], { path: "x" })).toBe(digest);
});

test("nothing found, an empty file and a missing one are three things", () => {
  expect(FindInFile.parse(["__pyinfra_exists_/a"], { path: "/a", pattern: "x" })).toEqual([]);
  expect(FindInFile.empty).toBeUndefined();
  expect(Block.parse(["__pyinfra_missing_/a"], { path: "/a" })).toBeUndefined();
  expect(Block.empty).toEqual([]);
  expect(FileContents.empty).toBeUndefined();
  expect(File.empty).toEqual({ type: "absent" });
  expect(Flags.parse(["uchg,hidden"], { path: "/a" })).toEqual(["uchg", "hidden"]);
});

test("markers that are the same are refused", () => {
  expect(() => Block.command({ path: "/a", marker: "# mark" })).toThrow("Delimiters for block must be different");
});

test("sizes have units, and only wildcards may be left unquoted", () => {
  const find = (args: object) => FindFiles.command({ path: "/d", ...args }).wire();
  expect(find({ minSize: "1KiB", maxSize: "2.5MB", size: 7 })).toBe(
    "find /d -type f -size +1024c -size -2500000c -size 7c || true",
  );
  expect(find({ maxDepth: 2, fName: "*.log", iName: "A*", regex: ".*/x", args: ["-newer", "/t m p"] })).toBe(
    "find /d -type f -maxdepth 2 -name '*.log' -iname 'A*' -regex '.*/x' -newer '/t m p' || true",
  );
  expect(find({ path: "/d*/$(touch pwned) [ab]", quotePath: false })).toBe(
    "find /d*'/$(touch pwned) '[ab] -type f || true",
  );
  expect(find({ path: "-delete" })).toBe("find ./-delete -type f || true");
  expect(() => find({ size: "big" })).toThrow('`size` is not a size: "big"');
});
