import { beforeAll, describe, expect, test } from "bun:test";
import { runCli } from "../../src/cli/index.ts";
import type { Io } from "../../src/cli/io.ts";
import { operationArguments, operationNamed, factRequests } from "../../src/cli/names.ts";
import { Secret } from "../../src/core/command.ts";
import { loadReference, type Reference } from "../../src/reference/index.ts";

let reference: Reference;
beforeAll(async () => {
  reference = await loadReference();
}, 120_000);

/** What a command line prints, and its exit code. */
async function tsinfra(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const printed = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") => ({ columns: 80, write: (text: string) => void (printed[name] += text) });
  const io = {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    closed: [],
    environment: {},
    cwd: () => "/",
    clock: { now: () => 0 },
    guardSignals: async () => {},
    onContinue: () => () => {},
    onInterrupt: () => () => {},
    onStray: () => () => {},
    onStuck: () => () => {},
    discard: () => false,
    idle: async () => true,
    flush: async () => {},
  } as unknown as Io;
  return { code: await runCli(args, "0.0.0", io), ...printed };
}

describe("docs", () => {
  test("without a name lists every module", async () => {
    const { stdout, code } = await tsinfra("docs");
    expect(code).toBe(0);
    for (const { name } of [...reference.operationModules, ...reference.factModules])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  test("of a module list what is in it; facts/ and operations/ choose", async () => {
    expect((await tsinfra("docs", "files")).stdout).toMatch(/^ {2}files\.put [^]*^ {2}files\.File /m);
    expect((await tsinfra("docs", "facts/files")).stdout).not.toContain("files.put");
    expect((await tsinfra("docs", "operations/files")).stdout).not.toContain("files.File ");
    expect((await tsinfra("docs", "facts")).stdout).not.toContain("\nOperations\n");
  });

  test("of an operation tell its arguments, defaults, an example, and whether it was run on a real system", async () => {
    const { stdout } = await tsinfra("docs", "files.file");
    expect(stdout).toStartWith("files.file\n");
    expect(stdout).toContain("\n  path: string (required)\n");
    expect(stdout).toContain("\n  present: boolean = true\n");
    expect(stdout).toMatch(/^Example\n {2}files\.file\(/m);
    expect(stdout).toMatch(/(?:Tested on|Not\s+run on a real)/);
  });

  test("of a fact tell how it is asked and what is in its answer", async () => {
    const { stdout } = await tsinfra("docs", "facts/files.File");
    expect(stdout).toContain('await host.getFact(File, { path: "…" });');
    expect(stdout).toMatch(/^Answer\n[^]*^ {2}size: number/m);
  });

  test("know old names, and global arguments", async () => {
    expect((await tsinfra("docs", "postgresql.role")).stdout).toMatch(
      /^postgres\.role\n[^]*older name postgresql\.role/,
    );
    expect((await tsinfra("docs", "_sudoUser")).stdout).toContain("  _sudoUser: string\n");
  });

  test("of something that is not there name the nearest", async () => {
    const hint = async (name: string) => {
      const { code, stderr, stdout } = await tsinfra("docs", name);
      expect([code, stdout]).toEqual([2, ""]);
      return stderr.split("\n").find(line => line.startsWith("Hint"));
    };
    expect(await hint("apt.pakages")).toBe('Hint: Did you mean "apt.packages"?');
    expect(await hint("fils")).toBe('Hint: Did you mean "files"?');
    expect(await hint("put")).toBe('Hint: Did you mean "files.put"?');
    expect(await hint("_sud")).toBe('Hint: Did you mean "_sudo"?');
    expect(await hint("qqqqqqqq")).toBe("Hint: tsinfra docs lists all modules");
  });

  test("of every name fit into 80 columns, but for code", async () => {
    const wide: string[] = [];
    for (const name of ["docs", ...[...reference.operations, ...reference.facts].map(one => one.name)]) {
      const { stdout, code } = await tsinfra("docs", ...(name === "docs" ? [] : [name]));
      expect([name, code]).toEqual([name, 0]);
      const prose = stdout.replace(/^Example\n(?:(?: {2}.*)?\n)*/m, "");
      // One word may be longer than a line.
      wide.push(
        ...prose
          .split("\n")
          .filter(line => line.length > 80 && line.trim().includes(" "))
          .map(line => `${name}: ${line}`),
      );
    }
    expect(wide).toEqual([]);
  }, 120_000);
});

describe("words of a command line", () => {
  const given = async (operation: string, ...words: readonly string[]) =>
    operationArguments(await operationNamed(operation), words);

  test("are read as what the operation's arguments take", async () => {
    expect(await given("files.line", "/etc/hosts", "true", "present=false")).toEqual({
      path: "/etc/hosts",
      line: "true",
      present: false,
    });
    expect(await given("files.put", "content=007", "dest=/x", "mode=644")).toEqual({
      content: "007",
      dest: "/x",
      mode: "644",
    });
    expect(await given("apt.packages", "vim,git", "cacheTime=60", "_timeout=5", "_sudo=true", "name=5")).toEqual({
      packages: ["vim", "git"],
      cacheTime: 60,
      _timeout: 5,
      _sudo: true,
      name: "5",
    });
    expect(await given("apt.packages", "vim", "git")).toEqual({ packages: ["vim", "git"] });
    expect(await given("files.template", "a.j2", "/x", 'data={"port":80}')).toEqual({
      src: "a.j2",
      dest: "/x",
      data: { port: 80 },
    });
  });

  test("that may be secrets are secrets", async () => {
    const args = await given("postgres.role", "app", "password=hunter2");
    expect(args["password"]).toBeInstanceOf(Secret);
    expect(JSON.stringify(args)).not.toContain("hunter2");
  });

  test("that fit no argument are told before anything is connected to", async () => {
    expect(given("apt.packages", "pakages=vim")).rejects.toThrow('Unknown argument "pakages" of apt.packages');
    expect(given("files.put", "dest=/x", "force=perhaps")).rejects.toThrow(
      'Argument "force" of files.put must be true or false, found "perhaps"',
    );
    expect(given("files.line", "line=x")).rejects.toThrow('Missing argument "path" of files.line: a string');
    expect(factRequests(["files.File", "pth=/x"])).rejects.toThrow('Unknown argument "pth" of files.File');
  });
});
