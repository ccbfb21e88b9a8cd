import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allOperations } from "../../src/registry.ts";
import { ROOT } from "../rules/sources.ts";
import { changed, wordsByOperation } from "./words.ts";

const words = wordsByOperation(allOperations.keys());

test("the words of an operation's commands are found, in its file and in what it calls", () => {
  const of = (name: string): readonly string[] => (words.get(name) ?? []).map(({ text }) => text);
  expect(of("apk.packages")).toEqual(expect.arrayContaining(["apk", "add", "del"]));
  expect(of("apt.packages")).toEqual(expect.arrayContaining(["apt-get", "install", "remove", "--allow-downgrades"]));
  expect(of("systemd.service")).toEqual(expect.arrayContaining(["systemctl", "enable", "disable", "stop", "restart"]));
  expect(of("mysql.user")).toEqual(expect.arrayContaining(["CREATE", "USER"]));
  expect(of("ts.call")).toEqual([]);
});

test("most operations have some", () => {
  expect([...words.values()].filter(some => some.length > 0).length).toBeGreaterThan(allOperations.size * 0.9);
});

test("a word stands where it is said to stand, and a changed one is another", () => {
  for (const { file, offset, text } of [...words.values()].flat()) {
    const source = readFileSync(join(ROOT, file), "utf8");
    expect(source.slice(offset, offset + text.length)).toBe(text);
    expect(changed(text)).not.toBe(text);
  }
  expect(changed("--name=")).toBe("--namex=");
});
