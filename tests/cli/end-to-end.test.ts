import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended } from "../support/is-alive.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const MAIN = join(import.meta.dir, "../../src/main.ts");
let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-cli-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
async function directory(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = join(root, String(count++));
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
async function tsinfra(cwd: string, ...args: string[]): Promise<Result> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, TSINFRA_DEBUG: "" },
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

test("the starter of `init` is right as it stands, changes this machine once, and then nothing", async () => {
  const cwd = await directory();
  const note = join(cwd, "note.txt");
  const first = await tsinfra(cwd, "init");
  expect(first).toMatchObject({ code: 0, out: "" });
  expect(first.err).toContain("Wrote deploy.ts");
  expect((await stat(join(cwd, "deploy.ts"))).mode & 0o111).toBe(0o111);
  const text = await readFile(join(cwd, "deploy.ts"), "utf8");
  await writeFile(join(cwd, "deploy.ts"), text.replaceAll("/tmp/tsinfra-hello.txt", note));
  expect(await tsinfra(cwd, "check", "deploy.ts", "inventory.ts", "infra.config.ts")).toMatchObject({
    code: 0,
    err: "Fine: 3 files checked\n",
  });

  const run = await tsinfra(cwd, "deploy.ts", "-y");
  expect(run.err).toMatch(/^Done: 2 changes on 1 host, /m);
  expect(run).toMatchObject({ code: 0, out: "" });
  expect(await readFile(note, "utf8")).toMatch(/^Hello from .+\n$/);
  const again = await tsinfra(cwd, "inventory.ts", "deploy.ts", "-y");
  expect([again.code, /^Done: nothing changed on 1 host, /m.test(again.err)]).toEqual([0, true]);

  const kept = await tsinfra(cwd, "init");
  expect(kept.err).toContain("Kept deploy.ts");
  expect(await readFile(join(cwd, "deploy.ts"), "utf8")).toContain(note);
});

test("output that nobody reads any more ends the run, without a word of how", async () => {
  const cwd = await directory();
  for (const words of ["docs", "@local exec -- yes"]) {
    const child = Bun.spawn(
      ["sh", "-c", `{ "$0" "$1" ${words}; echo $? >code; } | head -n 1`, process.execPath, MAIN],
      { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect(out.split("\n")).toHaveLength(2);
    expect(err).not.toMatch(/EPIPE|^ +at /m);
    if (words !== "docs")
      expect([err, await readFile(join(cwd, "code"), "utf8")]).toEqual([
        expect.stringContaining("Interrupted: nobody reads the output any more"),
        "130\n",
      ]);
  }
});

test.each([
  ["in a timer", `setTimeout(() => { throw new Error("nobody catches it"); }, 10);`],
  ["in a promise that nobody awaits", `void Promise.reject(new Error("nobody catches it"));`],
])("what a deploy file throws %s ends the run before it changes anything, with its place", async (_, line) => {
  const cwd = await directory({
    "deploy.ts": `import { server } from "tsinfra/operations";\n${line}\nawait Bun.sleep(300);\nserver.shell({ commands: ["touch changed"] });\n`,
  });
  const { code, err } = await tsinfra(cwd, "@local", "deploy.ts", "-y");
  expect(code).toBe(1);
  expect(err).toMatch(/^Error: nobody catches it\n  at deploy\.ts:2:\d+\n/m);
  expect(err).not.toMatch(/src\/|Proposed/);
  expect(await readdir(cwd)).not.toContain("changed");
});

test.each([
  [
    "a deploy file",
    `console.log("waiting");\nawait new Promise(() => {});\n`,
    "Error: The run was interrupted: deploy.ts had not ended on @local\nHint: What a deploy file waits for",
  ],
  [
    "a callback",
    `import { ts } from "tsinfra/operations";\nts.call({ function: () => { console.log("waiting"); return new Promise(() => {}); } });\n`,
    "Error: The run was interrupted\n",
  ],
])("an interruption ends %s that waits for something of its own", async (_, text, told) => {
  const cwd = await directory({ "deploy.ts": text });
  const child = Bun.spawn([process.execPath, MAIN, "@local", "deploy.ts", "-y"], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  await child.stdout.getReader().read();
  child.kill("SIGTERM");
  expect([await child.exited, await child.stderr.text()]).toEqual([130, expect.stringContaining(told)]);
});

test("what this machine's file system refuses is told as such", async () => {
  const cwd = await directory({ file: "" });
  expect(await tsinfra(cwd, "init", "file/below")).toMatchObject({
    code: 1,
    err: `Error: Cannot mkdir "${join(cwd, "file/below")}": not a directory (ENOTDIR)\n`,
  });
});

test("a failing operation ends with 1; its output is shown, and later operations are not reached", async () => {
  const cwd = await directory({
    "deploy.ts": `import { server } from "tsinfra/operations";
server.shell({ name: "Break", commands: ["echo to the log; echo oh no >&2; exit 4"] });
server.shell({ name: "Go on", commands: ["true"] });
`,
  });
  const { code, err, out } = await tsinfra(cwd, "@local", "deploy.ts", "-y");
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("  @local  Failed: Command failed with exit code 4: echo to the log");
  expect(err).toContain("│ oh no");
  expect(err).toMatch(/^ {2}Go on .* 1 .*-$/m);
  expect(err).toMatch(/^Failed: 1 of 1 host failed, 1 change did not finish, /m);
  expect(err).not.toMatch(/[^\n\P{Cc}]/u);
});

test("with --json, stdout is events as JSON lines and nothing else", async () => {
  const cwd = await directory({
    "deploy.ts":
      'import { server } from "tsinfra/operations";\nconsole.error("mine");\nserver.shell({ name: "Say", commands: ["echo hi"] });\n',
  });
  const { code, out } = await tsinfra(cwd, "@local", "deploy.ts", "-y", "--json");
  expect(code).toBe(0);
  const events = out
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as { readonly type: string; readonly line?: string; readonly ok?: boolean });
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      "stage:start",
      "host:connected",
      "changes",
      "operation:start",
      "operation:host:end",
      "results",
      "stage:end",
    ]),
  );
  expect(events.find(({ type }) => type === "output")?.line).toBe("hi");
  expect(events.find(({ type }) => type === "results")?.ok).toBe(true);
});

test("exec prints what the command prints and ends with its failure", async () => {
  const cwd = await directory();
  expect(await tsinfra(cwd, "@local", "exec", "--", "printf", "'a\\nb\\n'", ";", "echo c >&2")).toEqual({
    code: 0,
    out: "a\nb\n",
    err: "c\n",
  });
  const failed = await tsinfra(cwd, "@local", "exec", "--", "echo x; exit 3");
  expect(failed).toEqual({
    code: 1,
    out: "x\n",
    err: "  @local  Failed: Command failed with exit code 3: echo x; exit 3\n",
  });
});

test("facts and single operations run from the command line", async () => {
  const cwd = await directory({ file: "x" });
  const fact = await tsinfra(cwd, "@local", "fact", "files.File", `path=${join(cwd, "file")}`);
  expect(JSON.parse(fact.out)).toMatchObject({ "@local": { type: "file", size: 1 } });
  expect(fact).toMatchObject({ code: 0, err: "" });
  const made = await tsinfra(cwd, "@local", "files.directory", join(cwd, "new dir"), "mode=750", "-y");
  expect(made.code).toBe(0);
  expect((await stat(join(cwd, "new dir"))).mode & 0o777).toBe(0o750);
  const json = await tsinfra(cwd, "@local", "files.file", JSON.stringify([[join(cwd, "it's")], { touch: true }]), "-y");
  expect([json.code, (await stat(join(cwd, "it's"))).size]).toEqual([0, 0]);
});

describe("a mistake in a deploy file", () => {
  const cases: readonly (readonly [title: string, text: string, expected: readonly string[]])[] = [
    [
      "a misspelt operation",
      'import { files } from "tsinfra/operations";\nfiles.lnie({ path: "/x", line: "y" });\n',
      ["Error: TypeError: files.lnie is not a function", "at deploy.ts:2:7", 'Hint: Did you mean "files.line"?'],
    ],
    [
      "a misspelt module",
      'import { filez } from "tsinfra/operations";\nfilez.put();\n',
      ["at deploy.ts:1:10", 'Hint: Did you mean "files"?'],
    ],
    [
      "a misspelt argument",
      'import { files } from "tsinfra/operations";\n\nfiles.line({ path: "/x", lime: "y" } as never);\n',
      ["at deploy.ts:3:7", 'Did you mean "line"?'],
    ],
    [
      "the syntax",
      'import { files } from "tsinfra/operations";\nfiles.line({ path: , });\n',
      ["Unexpected ,", "at deploy.ts:2:20", "2 │ files.line({ path: , });"],
    ],
    [
      "an exception",
      "const x: { y?: { z: number } } = {};\nx.y!.z;\n",
      ["TypeError: undefined is not an object", "at deploy.ts:2:"],
    ],
    [
      "a local file that is missing",
      'import { files } from "tsinfra/operations";\nfiles.put({ src: "gone.txt", dest: "/x" });\n',
      ["gone.txt", "at deploy.ts:2:7"],
    ],
  ];
  test.each(cases.map(([title, text, expected]) => ({ title, text, expected })))(
    "is one clear error: $title",
    async ({ text, expected }) => {
      const cwd = await directory({
        "deploy.ts": `${text}import { server } from "tsinfra/operations";\nserver.shell({ commands: ["touch ran"] });\n`,
      });
      const { code, err, out } = await tsinfra(cwd, "@local", "deploy.ts", "-y");
      expect([code, out]).toEqual([1, ""]);
      for (const part of expected) expect(err).toContain(part);
      expect(err.match(/^Error:/gm)).toHaveLength(1);
      expect(err).not.toMatch(/^\s+at .*\(.*\)$/m);
      expect(await Bun.file(join(cwd, "ran")).exists()).toBe(false);
    },
  );
});

test("`check` finds mistakes by type, with the user's lines, and is not led astray by the directory", async () => {
  const cwd = await directory({
    "deploy.ts":
      'import { files } from "tsinfra/operations";\nfiles.file({ path: "/x", mode: 644 });\nconst n: number = "a";\nconsole.log(n);\n',
    "bunfig.toml": 'preload = ["./evil.ts"]\n',
    "evil.ts": 'await Bun.write("evil", "x");\n',
    "package.json": '{ "scripts": { "check": "touch evil" } }',
  });
  const { code, err } = await tsinfra(cwd, "check", "deploy.ts");
  expect(code).toBe(1);
  expect(err).toContain("at deploy.ts:2:26");
  expect(err).toContain("at deploy.ts:3:7");
  expect(err).toContain("Found 2 mistakes");
  expect((await tsinfra(cwd, "check", "gone.ts")).code).toBe(2);
});

test("Ctrl-C ends what runs and leaves with 130", async () => {
  const cwd = await directory({
    "deploy.ts":
      'import { server } from "tsinfra/operations";\nserver.shell({ name: "Wait", commands: ["echo $$ > pid; touch started; exec sleep 60"] });\n',
  });
  await chmod(join(cwd, "deploy.ts"), 0o755);
  const child = Bun.spawn([process.execPath, MAIN, "@local", "deploy.ts", "-y"], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const deadline = AbortSignal.timeout(100_000);
  while (!(await Bun.file(join(cwd, "started")).exists())) {
    deadline.throwIfAborted();
    await Bun.sleep(20);
  }
  child.kill("SIGINT");
  const [err, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  expect(code).toBe(130);
  expect(err).toContain("Interrupted: ending what runs");
  expect(err).toContain("Error: The run was interrupted");
  const pid = Number(await readFile(join(cwd, "pid"), "utf8"));
  await ended(pid);
});
