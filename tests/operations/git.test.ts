import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareRepo, config, repo, type RepoArguments, worktree } from "../../src/operations/git.ts";
import { call, throwError } from "../../src/operations/ts.ts";
import { apply, applyTwice } from "../support/apply.ts";
import { needTools } from "../support/machine.ts";
import { localHost, mustRun } from "../support/test-host.ts";

let root = "";
let globals = {};
const path = (name: string) => join(root, name);
const git = (line: string) =>
  mustRun(localHost(), `cd '${root}' && export HOME='${root}' GIT_CONFIG_NOSYSTEM=1 && git ${line}`).then(text =>
    text.trim(),
  );
const head = (name: string) => git(`-C '${path(name)}' rev-parse HEAD`);

/** A remote with a file, and a clone of it to push from. */
beforeAll(async () => {
  await needTools({ git: "git" });
  root = mkdtempSync(join(tmpdir(), "git test-"));
  globals = { _env: { HOME: root, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_SYSTEM: path("system") } };
  writeFileSync(
    path(".gitconfig"),
    '[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
  );
  await git("init -q --bare origin.git");
  await git("clone -q origin.git work 2>/dev/null");
  await commit("one");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function commit(text: string): Promise<void> {
  writeFileSync(path("work/file"), text);
  await git("-C work add file");
  await git(`-C work commit -q -m '${text}'`);
  await git("-C work push -q origin HEAD 2>/dev/null");
}

test("a repository is cloned once, and pulled only when the remote has something new", async () => {
  const args = { src: `file://${path("origin.git")}`, dest: path("clone it"), branch: "main" };
  await applyTwice(repo, args, { globals });
  expect(readFileSync(path("clone it/file"), "utf8")).toBe("one");
  await commit("two");
  await applyTwice(repo, args, { globals });
  expect(await head("clone it")).toBe(await head("work"));
}, 30_000);

test("a tag is checked out and stays, and a branch after it", async () => {
  await git("-C work tag v1");
  await git("-C work push -q origin v1 2>/dev/null");
  await commit("three");
  const args: RepoArguments = { src: path("origin.git"), dest: path("tagged") };
  await apply(repo, args, { globals });
  await applyTwice(repo, { ...args, branch: "v1" }, { globals });
  expect(readFileSync(path("tagged/file"), "utf8")).toBe("two");
  await applyTwice(repo, { ...args, branch: "main" }, { globals });
  expect(readFileSync(path("tagged/file"), "utf8")).toBe("three");
}, 30_000);

test("a clone may be shallow, and rebases what is local", async () => {
  const args = { src: `file://${path("origin.git")}`, dest: path("shallow"), depth: 1, rebase: true };
  await applyTwice(repo, args, { globals });
  expect(await git("-C shallow rev-list --count HEAD")).toBe("1");
}, 30_000);

test("submodules are checked out, and again when the repository wants another commit", async () => {
  await git("init -q --bare library.git");
  await git("clone -q library.git library 2>/dev/null");
  writeFileSync(path("library/lib"), "v1");
  await git("-C library add lib");
  await git("-C library commit -q -m v1");
  await git("-C library push -q origin HEAD 2>/dev/null");
  await git(`-C work submodule add -q ../library.git lib 2>/dev/null`);
  await git("-C work commit -q -m submodule");
  await git("-C work push -q origin HEAD");
  const args = {
    src: path("origin.git"),
    dest: path("with submodules"),
    updateSubmodules: true,
    recursiveSubmodules: true,
  };
  await applyTwice(repo, args, { globals });
  expect(readFileSync(path("with submodules/lib/lib"), "utf8")).toBe("v1");
  rmSync(path("with submodules/lib"), { recursive: true });
  await git("-C 'with submodules' submodule deinit -q -f lib");
  await applyTwice(repo, args, { globals });
  expect(existsSync(path("with submodules/lib/lib"))).toBe(true);
}, 30_000);

test("a bare repository is made, and removed", async () => {
  await applyTwice(bareRepo, { path: path("bare $x.git") }, { globals });
  expect(await git("-C 'bare $x.git' rev-parse --is-bare-repository")).toBe("true");
  await applyTwice(bareRepo, { path: path("bare $x.git"), present: false }, { globals });
  expect(existsSync(path("bare $x.git"))).toBe(false);
}, 30_000);

test("a working tree is made, pulled and removed", async () => {
  await apply(repo, { src: path("origin.git"), dest: path("main") }, { globals });
  const args = { repo: path("main"), worktree: path("tree"), newBranch: "preview", commitish: "v1" };
  await applyTwice(worktree, args, { globals });
  expect(await git("-C tree branch --show-current")).toBe("preview");
  const pulling = { worktree: path("tree"), fromRemoteBranch: ["origin", "main"] as const, rebase: true };
  await applyTwice(worktree, pulling, { globals });
  expect(await head("tree")).toBe(await git("-C origin.git rev-parse main"));
  await applyTwice(worktree, { worktree: path("tree"), present: false, force: true }, { globals });
  expect(existsSync(path("tree"))).toBe(false);
}, 30_000);

test("settings are set as they are written, one value or several", async () => {
  const value = `it's "quoted" $HOME \`id\` \\ -x`;
  await applyTwice(config, { key: "User.Name", value }, { globals });
  expect(await git("config --global user.name")).toBe(value);
  await applyTwice(config, { key: "safe.directory", value: "/a", multiValue: true }, { globals });
  await applyTwice(config, { key: "safe.directory", value: "/b", multiValue: true }, { globals });
  expect(await git("config --global --get-all safe.directory")).toBe("/a\n/b");
  await applyTwice(config, { key: "safe.directory", value: "/c" }, { globals });
  expect(await git("config --global --get-all safe.directory")).toBe("/c");
  await applyTwice(config, { key: "pull.rebase", value: "true", repo: path("main") }, { globals });
  expect(await git("-C main config --local pull.rebase")).toBe("true");
  await applyTwice(config, { key: "alias.two", value: "!f() {\necho a=b\n}; f" }, { globals });
  await applyTwice(config, { key: "user.name", value: "Test" }, { globals });
}, 30_000);

test("what git would take for an option is refused", async () => {
  expect(apply(repo, { src: "--upload-pack=touch x", dest: path("x") }, { globals })).rejects.toThrow(
    "cannot begin with a dash",
  );
  expect(apply(repo, { src: path("origin.git"), dest: path("x"), branch: "-x" }, { globals })).rejects.toThrow(
    "cannot begin with a dash",
  );
  expect(apply(repo, { src: "nowhere", dest: path("x"), sshKeyscan: true }, { globals })).rejects.toThrow(
    "Could not parse domain",
  );
}, 30_000);

test("a function runs between commands, with the host and its arguments, and fails it", async () => {
  const seen: unknown[] = [];
  const ran = await apply(call, {
    async function(host, one, two) {
      seen.push(
        (await host.run((await import("../../src/core/command.ts")).sh`echo ${String(one)}`)).stdout.trim(),
        two,
      );
    },
    args: ["a b", 2],
  });
  expect(ran.changed).toBe(true);
  expect(seen).toEqual(["a b", 2]);
  expect(apply(throwError, { exception: RangeError, args: ["Out of range"] })).rejects.toThrow("Out of range");
  expect(apply(throwError, { exception: "Not here" })).rejects.toThrow("Not here");
}, 30_000);
