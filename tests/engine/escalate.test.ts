import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Secret, sh, type Shell } from "../../src/core/command.ts";
import { type Escalated, escalate, type Surroundings } from "../../src/engine/host/escalation.ts";

const plain: Surroundings = { shell: "sh", env: {} };
const sudo = { login: false, preserveEnv: false };
const su = { user: "bob", login: false, preserveEnv: false };
const loggedIn = { ...plain, sudo: { ...sudo, login: true } };
const greet = sh`echo ${"it's $HOME"}`;
const password = new Secret("p'a $s");

/** `id -u` as su hands it on: no shell of anybody's finds something of its own in it. */
const INSIDE = `'sh -c '"'"'eval "\`printf %b '"'"'"'"'"'"'"'"'id -u'"'"'"'"'"'"'"'"'\`"'"'"''`;

/** Options, and the exact line they make. */
const GOLDEN: readonly [name: string, Shell, Surroundings, line: string][] = [
  ["a plain command", sh`id -u`, plain, "sh -c 'id -u'"],
  ["no shell of its own", sh`id -u`, { ...plain, shell: false }, "id -u"],
  ["another shell", sh`id -u`, { ...plain, shell: "/bin/bash" }, "/bin/bash -c 'id -u'"],
  ["a quoted word", greet, plain, `sh -c 'echo '"'"'it'"'"'"'"'"'"'"'"'s $HOME'"'"''`],
  ["a directory", sh`pwd`, { ...plain, chdir: "/tmp/a b" }, `sh -c 'cd -- '"'"'/tmp/a b'"'"' && pwd'`],
  ["a directory of the user's own", sh`pwd`, { ...plain, chdir: "~/a b" }, `sh -c 'cd -- ~/'"'"'a b'"'"' && pwd'`],
  [
    "variables",
    sh`env`,
    { ...plain, env: { A: 'x"; touch pwned; "', B: 2 } },
    `sh -c 'export A='"'"'x"; touch pwned; "'"'"' B=2 && env'`,
  ],
  [
    "a directory before several commands",
    sh`true; pwd`,
    { ...plain, chdir: "/tmp" },
    "sh -c 'cd -- /tmp && { true; pwd\n}'",
  ],
  ["sudo", sh`id -u`, { ...plain, sudo }, "sudo -H -n sh -c 'id -u'"],
  [
    "sudo to a user, with all it takes",
    sh`id -u`,
    { ...plain, sudo: { user: "web app", login: true, preserveEnv: true } },
    `sudo -H -n -i -E -u 'web app' sh -c 'eval "\`printf %b '"'"'id -u'"'"'\`"'`,
  ],
  [
    "what sudo's login would expand, join or drop",
    sh`n=5; echo "$n" ${"é `'\\$n"} \\n
exit 0`,
    loggedIn,
    String.raw`sudo -H -n -i sh -c 'eval "\`printf %b '"'"'n=5; echo \0042\0044n\0042 \0047\0303\0251 \0140\0047\0042\0047\0042\0047\0134\0044n\0047 \0134n\0012exit 0'"'"'\`"'`.replaceAll(
      "\\`",
      "`",
    ),
  ],
  ["su", sh`id -u`, { ...plain, su }, `su bob -c ${INSIDE}`],
  [
    "su with all it takes",
    sh`id -u`,
    { ...plain, su: { ...su, login: true, preserveEnv: true, shell: "/bin/sh" } },
    `su -l -m -s /bin/sh bob -c ${INSIDE}`,
  ],
  [
    "su with a shell by name",
    sh`id -u`,
    { ...plain, su: { ...su, shell: "bash" } },
    `su -s "$(command -v bash)" bob -c ${INSIDE}`,
  ],
  ["doas", sh`id -u`, { ...plain, doas: { user: "bob" } }, "doas -n -u bob sh -c 'id -u'"],
  ["dzdo", sh`id -u`, { ...plain, dzdo: {} }, "dzdo -n sh -c 'id -u'"],
  [
    "all of them, doas outermost",
    sh`id -u`,
    { ...plain, doas: {}, dzdo: {}, sudo, su },
    `doas -n dzdo -n sudo -H -n su bob -c ${INSIDE}`,
  ],
];

describe("the line", () => {
  for (const [name, command, surroundings, line] of GOLDEN) {
    test(name, () => expect(escalate(command, surroundings).line.wire()).toBe(line));
  }
  test("says first that it has started, and as which process", () => {
    expect(escalate(sh`id -u`, { ...plain, sudo }, "N1").line.wire()).toBe(
      "sudo -H -n sh -c 'echo N1 $$ >&2; echo N1o $$; id -u'",
    );
  });
  test("never holds a password: it travels on stdin", () => {
    const { line, preamble } = escalate(
      sh`id`,
      { ...plain, sudo: { ...sudo, password }, su: { ...su, password } },
      "N1",
    );
    expect(line.wire()).not.toContain("p'a");
    expect(line.wire()).toContain("sudo -H -S -p ''");
    expect(preamble).toEqual([password, password, "N1"]);
  });
  test("never holds a secret: such a script travels on stdin", () => {
    const { line, preamble } = escalate(
      sh`mysql -p${new Secret("hunter2")}`,
      { ...plain, env: { TOKEN: new Secret("t0ken") } },
      "N1",
    );
    expect(line.wire()).not.toMatch(/hunter2|t0ken/);
    expect(String(preamble[0])).toBe("***");
  });
});

const SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]];

describe("under a real shell", () => {
  let bin: string;
  beforeAll(() => {
    bin = mkdtempSync(`${tmpdir()}/escalate-`);
    // Stand-ins that take the options, read a password when told to, and become nobody.
    const programs: Record<string, string> = {
      sudo: `while :; do case $1 in -u|-p) shift 2;; -S) IFS= read -r pw; echo "sudo got $pw" >&2; shift;; -i) login=1; shift;; -*) shift;; *) break;; esac; done
[ "$login" ] || exec "$@"
# A login shell gets the words as one line, with a backslash before all but a few characters.
for word; do line="$line $(printf '%s\n' "$word" | LC_ALL=C sed -e 's/[^A-Za-z0-9_$-]/\\\\&/g' -e '$!s/$/\\\\/')"; done
exec sh -c "$line"`,
      su: `while :; do case $1 in -s) shift 2;; -c) shift; exec sh -c "$1";; -*) shift;; *) shift;; esac; done`,
      doas: `while :; do case $1 in -u) shift 2;; -*) shift;; *) exec "$@";; esac; done`,
    };
    programs["dzdo"] = programs["doas"]!;
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(`${bin}/${name}`, `#!/bin/sh\n${script}\n`);
      chmodSync(`${bin}/${name}`, 0o755);
    }
  });
  afterAll(() => rmSync(bin, { recursive: true }));

  const run = async (
    shell: readonly string[],
    { line, preamble }: Escalated,
    input = "",
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const text = preamble.map(item => `${item instanceof Secret ? item.reveal() : item}\n`).join("");
    // busybox prefers its own su to the one in PATH.
    const prelude = shell[0] === "busybox" ? `su() { ${bin}/su "$@"; }; ` : "";
    const child = Bun.spawn([...shell, "-c", prelude + line.wire()], {
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
      stdin: Buffer.from(text + input),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, stdout: stdout.replace(/^N1o \d+\n/, ""), stderr };
  };
  /** What a golden command prints. */
  const printed = new Map<string, string>([
    ["a quoted word", "it's $HOME\n"],
    ["a directory before several commands", "/tmp\n"],
    ["what sudo's login would expand, join or drop", "5 é `'\\$n n\n"],
  ]);

  for (const shell of SHELLS) {
    describe(shell.join(" "), () => {
      for (const [name, command, surroundings] of GOLDEN) {
        if (surroundings.chdir && !existsSync(surroundings.chdir)) continue;
        test(name, async () => {
          const { exitCode, stdout } = await run(shell, escalate(command, surroundings, "N1"));
          expect(exitCode).toBe(0);
          if (printed.has(name)) expect(stdout).toBe(printed.get(name)!);
          if (command.wire() === "id -u") expect(stdout).toBe(`${process.getuid!()}\n`);
          if (name === "variables") expect(stdout).toContain(`A=x"; touch pwned; "\nB=2\n`.split("\n")[0]!);
        });
      }
      test("the exit code is the command's", async () => {
        for (const surroundings of [plain, { ...plain, sudo }, loggedIn, { ...plain, su }, { ...plain, chdir: "/" }]) {
          expect((await run(shell, escalate(sh`exit 7`, surroundings, "N1"))).exitCode).toBe(7);
          const told = await run(shell, escalate(sh`exit 7`, surroundings, "N1", { tellsEnd: true }));
          expect([told.exitCode, told.stdout]).toEqual([7, "\x01N1o 7\n"]);
          expect(told.stderr).toMatch(/^N1 \d+\n\u{1}N1 7\n$/u);
        }
      });
      test("a command that signals itself ends itself, however it gets there", async () => {
        for (const command of [
          sh`kill $$; exit 3`,
          sh`: ${new Secret("x")}; kill $$; exit 3`,
          sh`: ${"x".repeat(70_000)}; kill $$; exit 3`,
        ])
          for (const surroundings of [{ ...plain, sudo }, loggedIn, { ...plain, su }]) {
            const { exitCode, stdout } = await run(shell, escalate(command, surroundings, "N1", { tellsEnd: true }));
            expect([exitCode, stdout]).toEqual([143, "\x01N1o 143\n"]);
          }
      });
      test("a directory that is missing fails the command before anything of it runs", async () => {
        const { exitCode, stdout } = await run(
          shell,
          escalate(sh`echo one; echo two`, { ...plain, chdir: "/no/such" }, "N1"),
        );
        expect(exitCode).not.toBe(0);
        expect(stdout).toBe("");
      });
      test("the command's own input comes after passwords and secret scripts, whole", async () => {
        const secret = sh`printf '%s|' ${new Secret("a\n'b' $c \\ `d`")}; cat`;
        for (const surroundings of [
          plain,
          { ...plain, sudo: { ...sudo, password } },
          { ...plain, sudo: { ...sudo, password }, su },
          loggedIn,
          { ...loggedIn, sudo: { ...loggedIn.sudo, password }, su },
        ]) {
          const { stdout } = await run(shell, escalate(secret, surroundings, "N1"), "line 1\n\\ line 2");
          expect(stdout).toBe("a\n'b' $c \\ `d`|line 1\n\\ line 2");
        }
      });
      test("nothing of a script runs of which somebody has read something", async () => {
        const secret = sh`echo first\necho ${new Secret("second")}`;
        const { line, preamble } = escalate(secret, plain, "N1");
        for (const left of [preamble.slice(0, -1), []]) {
          const { exitCode, stdout, stderr } = await run(shell, { line, preamble: left, passwords: 0 });
          expect([exitCode, stdout]).toEqual([1, ""]);
          expect(stderr).toMatch(/^N1 \d+\n\u{1}N1 unread\n$/u);
        }
      });
      test("a password that nobody wanted does not reach the command", async () => {
        // As sudo does where NOPASSWD is set: with -S given, it reads nothing.
        const { stdout } = await run(
          shell,
          { ...escalate(sh`cat`, { ...plain, su: { ...su, password } }, "N1") },
          "input",
        );
        expect(stdout).toBe("input");
      });
    });
  }
});
