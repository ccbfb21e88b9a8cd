import { expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { block, line, replace } from "../../../src/operations/files/index.ts";
import { apply, applyTwice } from "../../support/apply.ts";
import { HOSTILE_NAMES, onUserlands } from "../../support/userlands.ts";

/** Text that a careless command would run, expand or break on. */
const HOSTILE_TEXTS = [
  "it's",
  'say "hi"',
  "$(touch pwned)",
  "`touch pwned`",
  "$HOME",
  "a/b&c",
  "back\\slash \\n \\1",
  "-n",
  "--help",
  "*/5 * * * * run",
  "[x] (y) {z} a+b?",
  "^start",
  "end$",
  "a | b; touch pwned",
  "é ü",
];

onUserlands("edits", userland => {
  const run = {
    get host() {
      return userland.host;
    },
  };
  const read = (path: string) => readFileSync(userland.here(path), "utf8");
  const fresh = (content: string) => {
    const path = `${userland.fresh()}/conf`;
    writeFileSync(userland.here(path), content);
    return path;
  };

  test("a line is added, replaced where it matches, and removed", async () => {
    const path = fresh("Port 22\n#PasswordAuthentication yes\n");
    await applyTwice(line, { path, line: "UseDNS no" }, run);
    await applyTwice(line, { path, line: "PasswordAuthentication .*", replace: "PasswordAuthentication no" }, run);
    expect(read(path)).toBe("Port 22\nPasswordAuthentication no\nUseDNS no\n");
    await applyTwice(line, { path, line: "^Port", replace: "Port 2222", backup: true }, run);
    expect(read(`${path}.2601010000`)).toStartWith("Port 22\n");
    await applyTwice(line, { path, line: "^UseDNS no$", present: false }, run);
    expect(read(path)).toBe("Port 2222\nPasswordAuthentication no\n");
    await applyTwice(line, { path, line: "nothing|Password.+no", extendedRegex: true, present: false }, run);
    expect(read(path)).toBe("Port 2222\n");
    expect((await apply(line, { path, line: "nothing like it", present: false }, run)).noops).toEqual([
      `line "nothing like it" does not exist in ${path}`,
    ]);
  });

  test("a line is added to a file that is not there, and after a last line without its newline", async () => {
    const path = `${userland.fresh()}/new`;
    await applyTwice(line, { path, line: "one" }, run);
    writeFileSync(userland.here(path), "one");
    await applyTwice(line, { path, line: "two", ensureNewline: true, backup: true }, run);
    expect([read(path), read(`${path}.2601010000`)]).toEqual(["one\ntwo\n", "one"]);
  });

  test("an anchored pattern is added without its anchors", async () => {
    const path = fresh("");
    await applyTwice(line, { path, line: "^exact$" }, run);
    expect(read(path)).toBe("exact\n");
  });

  test("what is added stays as it is, whatever it says, and is found again", async () => {
    const path = fresh("first\n");
    for (const text of HOSTILE_TEXTS) {
      if (text === "^start" || text === "end$") continue;
      await applyTwice(line, { path, line: text, escapeRegexCharacters: true }, run);
    }
    expect(read(path)).toBe(
      `first\n${HOSTILE_TEXTS.filter(text => text !== "^start" && text !== "end$")
        .map(text => `${text}\n`)
        .join("")}`,
    );
    for (const text of ["*/5 * * * * run", "[x] (y) {z} a+b?"])
      expect((await apply(line, { path, line: text }, run)).changed).toBe(false);
  });

  test("what a line is replaced by stays as it is", async () => {
    for (const text of HOSTILE_TEXTS.filter(one => !one.includes("\\"))) {
      const path = fresh("key=old\nother\n");
      await applyTwice(line, { path, line: "^key=.*$", replace: `key=${text}` }, run);
      expect(read(path)).toBe(`key=${text}\nother\n`);
      await applyTwice(line, { path, line: "nowhere", replace: `new ${text}` }, run);
      expect(read(path)).toBe(`key=${text}\nother\nnew ${text}\n`);
    }
  });

  test("parts of lines are replaced: the first, all, in capitals or not, with groups", async () => {
    const path = fresh("a-a A\nb/c\n");
    await applyTwice(replace, { path, text: "^a", replace: "x" }, run);
    await applyTwice(replace, { path, text: "a", replace: "y", flags: ["g", "I"] }, run);
    expect(read(path)).toBe("x-y y\nb/c\n");
    await applyTwice(replace, { path, text: "b/c", replace: "d/e & f's" }, run);
    await applyTwice(replace, { path, text: "(d)/(e)", replace: "\\2/\\1", extendedRegex: true, backup: true }, run);
    expect(read(path)).toBe("x-y y\ne/d & f's\n");
    expect(existsSync(userland.here(`${path}.2601010000`))).toBe(true);
    await applyTwice(replace, { path, text: "e/d", replace: "two\nlines" }, run);
    expect(read(path)).toBe("x-y y\ntwo\nlines & f's\n");
    expect((await apply(replace, { path, text: "gone", replace: "x" }, run)).noops).toEqual([
      `string "gone" does not exist in ${path}`,
    ]);
  });

  test("the host's shell expands variables only when asked to", async () => {
    const path = fresh("me=nobody\n");
    await apply(
      replace,
      { path, text: "nobody", replace: '"$WHO"', interpolateVariables: true },
      { ...run, host: userland.host, globals: { _env: { WHO: "ada" } } },
    );
    expect(read(path)).toBe('me="ada"\n');
    await apply(
      line,
      { path, line: '$WHO\'s "line"', interpolateVariables: true },
      { ...run, host: userland.host, globals: { _env: { WHO: "ada" } } },
    );
    expect(read(path)).toBe('me="ada"\nada\'s "line"\n');
  });

  test("sed gets no command and no file to write", async () => {
    const path = fresh("x\n");
    const code = (operation: Promise<unknown>) =>
      operation.then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
    expect(await code(apply(replace, { path, text: "x", replace: "touch pwned", flags: "e" }, run))).toBe(
      "E_OPERATION_VALUE",
    );
    expect(await code(apply(replace, { path, text: "x", replace: "y", flags: ["w /tmp/pwned"] }, run))).toBe(
      "E_OPERATION_VALUE",
    );
    expect(await code(apply(replace, { path, text: "x\ne touch pwned", replace: "y" }, run))).toBe("E_OPERATION_VALUE");
    expect(await code(apply(line, { path, line: "x\\/e touch pwned" }, run))).toBeUndefined();
    for (const text of ["x\\", "\\/;e", "\\\\/e"])
      await apply(replace, { path, text, replace: "touch pwned/e" }, run).catch(() => undefined);
    expect(existsSync(userland.here("/pwned")) || existsSync("pwned")).toBe(false);
  });

  test("a block is made, changed and removed; mode and owner stay", async () => {
    const path = fresh("127.0.0.1 localhost\n::1 localhost\n");
    chmodSync(userland.here(path), 0o640);
    chownSync(userland.here(path), 65534, 65534);
    const args = { path, marker: "# {mark} planets" };
    await applyTwice(block, { ...args, content: "192.0.2.1 mars" }, run);
    expect(read(path)).toBe("127.0.0.1 localhost\n::1 localhost\n# BEGIN planets\n192.0.2.1 mars\n# END planets\n");
    await applyTwice(block, { ...args, content: ["192.0.2.1 mars", "192.0.2.2 venus"], backup: true }, run);
    expect(read(path)).toContain("mars\n192.0.2.2 venus\n# END");
    expect(read(`${path}.2601010000`)).not.toContain("venus");
    await applyTwice(block, { ...args, present: false }, run);
    expect(read(path)).toBe("127.0.0.1 localhost\n::1 localhost\n");
    const found = statSync(userland.here(path));
    expect([found.mode & 0o777, found.uid, found.gid]).toEqual([0o640, 65534, 65534]);
    // This machine's /tmp is not ours alone.
    if (userland.name === "busybox")
      expect(readdirSync(userland.here("/tmp")).filter(name => name.startsWith("pyinfra."))).toEqual([]);
  });

  test("a new block goes where it is told", async () => {
    const content = "new";
    const around = "# BEGIN PYINFRA BLOCK\nnew\n# END PYINFRA BLOCK\n";
    const cases: [args: object, expected: string][] = [
      [{}, `a\nb/it's\nc\n${around}`],
      [{ before: true, after: true }, `${around}a\nb/it's\nc\n`],
      [{ line: "b/it's", before: true }, `a\n${around}b/it's\nc\n`],
      [{ line: "b/it's", after: true }, `a\nb/it's\n${around}c\n`],
      [{ line: "nowhere", after: true }, `a\nb/it's\nc\n${around}`],
      [{ line: "b/i?.*", after: true }, `a\nb/it's\n${around}c\n`],
      [{ line: "b.it's", before: true, escapeRegexCharacters: true }, `a\nb/it's\nc\n${around}`],
    ];
    for (const [args, expected] of cases) {
      const path = fresh("a\nb/it's\nc\n");
      await applyTwice(block, { path, content, ...args }, run);
      expect(read(path)).toBe(expected);
    }
    const missing = `${userland.fresh()}/missing`;
    await applyTwice(block, { path: missing, content, line: "x", before: true }, run);
    expect(read(missing)).toBe(around);
  });

  test("content and markers are text, whatever they say", async () => {
    const content = [...HOSTILE_TEXTS, "PYINFRAHERE", "x=1"];
    for (const marker of ["<!-- {mark} -->", "# {mark} (it's/[a].*) $HOME", "; {mark} +"]) {
      const path = fresh("top\n");
      await applyTwice(block, { path, content, marker, begin: "B$(x)", end: "E" }, run);
      await applyTwice(block, { path, content: content.slice(1), marker, begin: "B$(x)", end: "E" }, run);
      expect(read(path)).toBe(
        `top\n${marker.replace("{mark}", () => "B$(x)")}\n${content.slice(1).join("\n")}\n${marker.replace("{mark}", "E")}\n`,
      );
      await applyTwice(block, { path, marker, begin: "B$(x)", end: "E", present: false }, run);
      expect(read(path)).toBe("top\n");
    }
  });

  test("hostile names are files and nothing else", async () => {
    const parent = userland.fresh();
    const options = { host: userland.host, globals: { _chdir: parent } };
    for (const path of HOSTILE_NAMES) {
      writeFileSync(userland.here(`${parent}/${path}`), "old\n");
      await applyTwice(line, { path, line: "added" }, options);
      await applyTwice(line, { path, line: "added", replace: "other" }, options);
      await applyTwice(replace, { path, text: "old", replace: "young" }, options);
      await applyTwice(block, { path, content: "in" }, options);
      await applyTwice(block, { path, content: "inside" }, options);
      expect(read(`${parent}/${path}`)).toBe("young\nother\n# BEGIN PYINFRA BLOCK\ninside\n# END PYINFRA BLOCK\n");
    }
    expect(readdirSync(userland.here(parent)).sort()).toEqual([...HOSTILE_NAMES].sort());
  });

  test("diffs show the lines that change", async () => {
    const path = fresh("a\nb\n");
    const options = { ...run, host: userland.host, diff: true };
    const after = async (applied: ReturnType<typeof apply>) => (await applied).diffs.map(({ after }) => after);
    expect(await after(apply(line, { path, line: "c" }, options))).toEqual(["a\nb\nc\n"]);
    expect(await after(apply(line, { path, line: "^a$", replace: "A" }, options))).toEqual(["A\nb\nc\n"]);
    expect(await after(apply(line, { path, line: "^b$", present: false }, options))).toEqual(["A\nc\n"]);
    expect(await after(apply(replace, { path, text: "c", replace: "d" }, options))).toEqual(["A\nd\n"]);
    expect(await after(apply(block, { path, content: "x" }, options))).toEqual([
      "A\nd\n# BEGIN PYINFRA BLOCK\nx\n# END PYINFRA BLOCK\n",
    ]);
    expect(await after(apply(block, { path, content: "y" }, options))).toEqual([
      "A\nd\n# BEGIN PYINFRA BLOCK\ny\n# END PYINFRA BLOCK\n",
    ]);
    expect(await after(apply(block, { path, present: false }, options))).toEqual(["A\nd\n"]);
  });
});
