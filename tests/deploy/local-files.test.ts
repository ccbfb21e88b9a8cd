import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksum } from "../../src/core/checksum.ts";
import { createLocalFiles } from "../../src/deploy/local-files.ts";

const dir = mkdtempSync(join(tmpdir(), "local-files-"));
afterAll(() => rmSync(dir, { recursive: true }));
const at = (name: string) => join(dir, name);
const local = createLocalFiles({ deployDir: at("deploy"), cwd: at("cwd") });
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test("relative paths start from the deploy file's directory, or from the working directory", () => {
  expect(local.resolve("files/a")).toBe(at("deploy/files/a"));
  expect(local.resolve("../a", { fromDeploy: false })).toBe(at("a"));
  expect(local.resolve("/etc/../x/")).toBe("/x");
});

test("a path is described with its links followed, a directory's entries as they are", async () => {
  mkdirSync(at("tree/sub"), { recursive: true });
  writeFileSync(at("tree/b"), "12");
  chmodSync(at("tree/b"), 0o640);
  utimesSync(at("tree/b"), 10, 20);
  symlinkSync("b", at("tree/a link"));
  symlinkSync("gone", at("tree/dangling"));
  expect(await local.stat(at("tree/a link"))).toEqual({
    path: at("tree/a link"),
    type: "file",
    size: 2,
    mode: "0640",
    atime: new Date(10_000),
    mtime: new Date(20_000),
  });
  expect(
    (await local.list(at("tree"))).map(({ path, type, linkTarget }) => [path.slice(dir.length + 6), type, linkTarget]),
  ).toEqual([
    ["a link", "link", "b"],
    ["b", "file", undefined],
    ["dangling", "link", "gone"],
    ["sub", "directory", undefined],
  ]);
  expect(await local.stat(at("tree/dangling"))).toBeUndefined();
  expect(await local.stat(at("tree/b/below"))).toBeUndefined();
});

test("a checksum is computed once, and again when the file has changed", async () => {
  writeFileSync(at("sum"), "one");
  utimesSync(at("sum"), 1, 1);
  expect(await local.checksum(at("sum"), "sha256")).toBe(checksum("one", "sha256"));
  writeFileSync(at("sum"), "two");
  utimesSync(at("sum"), 1, 1);
  expect(await local.checksum(at("sum"), "sha256")).toBe(checksum("one", "sha256"));
  utimesSync(at("sum"), 1, 2);
  expect(await local.checksum(at("sum"), "sha256")).toBe(checksum("two", "sha256"));
  expect(await local.checksum(at("sum"), "sha384")).toBe(checksum("two", "sha384"));
});

test("what cannot be read is an error that names the file", async () => {
  expect(await errorOf(local.read(at("nope")))).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `Cannot read "${at("nope")}": there is no such file`,
  });
  expect(await errorOf(local.readText(dir))).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `Cannot read "${dir}": it is a directory`,
  });
  expect(await errorOf(local.checksum(at("nope"), "md5"))).toMatchObject({ code: "E_LOCAL_FILE" });
  expect(await errorOf(local.list(at("sum")))).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `Cannot read "${at("sum")}": it is not a directory`,
  });
});
