/** What carries commands to their shell may be odd: what is told of them is what they did, or an error in words. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { Frame } from "../../src/connectors/program/frame.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { raw, sh } from "../../src/core/command.ts";
import { beforeOurWords } from "../../src/core/connect-failure.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { Surroundings } from "../../src/engine/host/escalation.ts";
import type { CommandOptions } from "../../src/engine/host/sending.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { localSession } from "../support/local-session.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
needRoot("Another login shell");
await needTools({ sshd: "openssh-server", ssh: "openssh-client", script: "bsdutils" });

const PLAIN: Surroundings = { shell: "sh", env: {} };
const SUDO: Surroundings = { ...PLAIN, sudo: { login: false, preserveEnv: false } };
const SU: Surroundings = { ...PLAIN, su: { user: "root", login: false, preserveEnv: false } };
const DOAS: Surroundings = { ...PLAIN, doas: {} };

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "tsinfra-odd-"))));
afterAll(() => rm(directory, { recursive: true, force: true }));

let count = 0;
async function program(name: string, script: string): Promise<string> {
  const place = join(directory, `${++count}`);
  await mkdir(place);
  await Bun.write(join(place, name), `#!/bin/bash\n${script.replaceAll("DIRECTORY", directory)}\n`);
  await chmod(join(place, name), 0o755);
  return join(place, name);
}

/** How commands are sent: in a shell that stays where that is possible, or in a channel of their own. */
const WAYS: Readonly<Record<string, { readonly fast: boolean } & Partial<CommandOptions>>> = {
  fast: { fast: true },
  "fast, alone": { fast: true, timeout: 40 },
  plain: { fast: false },
  "plain, with input": { fast: false, stdin: Buffer.from("some\n") },
};

/** What is told of a command, and what it wrote down: "b" when it began, "e" when it came to its end. */
async function outcome(
  connect: () => Promise<Connection>,
  surroundings: Surroundings,
  { fast, ...options }: { readonly fast: boolean } & Partial<CommandOptions>,
  end: string,
): Promise<{ readonly told: string; readonly journal: string; readonly printed: string }> {
  const journal = join(directory, `journal-${++count}`);
  const session = localSession({ fast, connect });
  const command = sh`echo out; echo b >>${journal}; ${raw(end)}; c=$?; echo e >>${journal}; exit $c`;
  let told: string;
  let printed = "";
  try {
    const ran = await session.run(command, { surroundings, signal: AbortSignal.timeout(50_000), ...options });
    const said = Buffer.from(ran.stderr).toString();
    told = ran.trouble ? ran.trouble.message : ran.started ? `${ran.exitCode}` : `not begun ${ran.exitCode}: ${said}`;
    printed = Buffer.from(ran.stdout).toString();
    expect(said).not.toMatch(MARKS);
    expect(printed).not.toMatch(MARKS);
    if (!ran.started) expect(ran.exitCode).not.toBe(0);
  } catch (error) {
    told = String((error as Error).message);
  }
  expect(told).not.toMatch(MARKS);
  await session.close();
  return { told, printed, journal: (await readFile(journal, "utf8").catch(() => "")).replaceAll("\n", "") };
}
const MARKS = /[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}|tsinfra-[0-9a-f]|NaN|read -r/;

/** What must be told, whatever was to happen. */
interface Odd {
  readonly script: string;
  /** Of a command whose exit code is 5; default: 5, which it is. */
  readonly quick?: RegExp;
  /** Of one that takes a second, and succeeds; default: 0. */
  readonly slow?: RegExp;
  /** What is taken for the command's output is that and nothing else. */
  readonly isExact?: true;
  /** Who is so, where that takes long. */
  readonly only?: string;
}

const check = (odd: Odd, connect: () => Promise<Connection>, surroundings: Surroundings): void => {
  for (const [way, options] of Object.entries(WAYS))
    test.concurrent(way, async () => {
      const quick = await outcome(connect, surroundings, options, "(exit 5)");
      expect(quick.told).toMatch(odd.quick ?? /^5$/);
      if (quick.told === "5") expect(quick.journal).toBe("be");
      if (odd.isExact && quick.told === "5") expect(quick.printed).toBe("out\n");
      if (/^not begun|did not begin/.test(quick.told)) expect(quick.journal).toBe("");
      // What is refused at once is refused whatever it is.
      if (!/^\d+$/.test(quick.told)) return;
      const slow = await outcome(connect, surroundings, options, "sleep 1");
      expect(slow.told).toMatch(odd.slow ?? /^0$/);
      if (slow.told === "0") expect(slow.journal).toBe("be");
    });
};

const NOT_BEGUN = /run commands on|does not run commands|^not begun [1-9]/;
const CUT_OFF = /^The command was cut off on .*: its state is unknown$/;
const MIXED =
  /mixes the two outputs of commands, closes one of them or holds it back, or reads what is meant for them: the state of the command is unknown$/;
const DROPPED = /drops std(out|err): the state of the command is unknown$/;
const UNHEARD = /whether it ran is not known$/;
const CHANGED = /changes what commands print: the state of the command is unknown$/;
const EITHER = (...all: readonly RegExp[]): RegExp => new RegExp(all.map(({ source }) => source).join("|"));

test("what repeats what it is sent is not quoted with it", () => {
  const sent = [
    "exec 3>&2 2>/dev/null\ntsinfra_1=0\n",
    "tsinfra_1=0\nif [ $tsinfra_1 = 0 ]; then",
    "printf '%s begin\\n' 8d0f1c6e-0000-0000-0000-000000000000; if [ -e /etc ]",
    "\0exec /bin/sh -c 'echo tsinfra-0123456789abcdef0123456789abcdef $$ >&2'",
  ];
  for (const line of sent) {
    expect(beforeOurWords(line)).toBe("it echoes what it is sent");
    expect(beforeOurWords(`Not\0 today: ${line}`)).toBe("Not today: …");
  }
  expect(beforeOurWords("sudo: a password is required\n")).toBe("sudo: a password is required");
});

test("what loses its control characters on the way is told from what does not run", () => {
  for (const plain of [true, false]) {
    const stripped = (text: (mark: string) => string): boolean => {
      const frame = new Frame(sh`true`, { pty: false, plain });
      const mark = String(frame.words.at(-2)).replace("\x01", "");
      frame.stdout.pass(Buffer.from(text(mark)));
      return frame.garbling === "changed";
    };
    expect(stripped(mark => `hello\n${mark} b 4711\nout\n${mark} e 0\n`)).toBe(true);
    // It repeats what it is sent.
    expect(stripped(mark => `/bin/sh -c 'echo "$0 b $$"' ${mark} 'true'\n`)).toBe(false);
  }
});

describe("the login shell", () => {
  const shells: Readonly<Record<string, Odd>> = {
    "is true": { script: "exit 0", quick: NOT_BEGUN, slow: NOT_BEGUN },
    "loses the exit code": { script: '/bin/bash "$@"; exit 0' },
    "writes all that is printed down": { script: '/bin/bash "$@" | tee -a DIRECTORY/audit.log' },
    "kills what takes long, and calls that a success": {
      script: 'timeout -s KILL 0.7 /bin/bash "$@"; exit 0',
      slow: CUT_OFF,
    },
    "does not end": { script: '/bin/bash "$@"; sleep 70' },
    "prints without end when the command has ended": { script: '/bin/bash "$@"; yes trailing' },
    "leaves something running": { script: '(sleep 70) & exec /bin/bash "$@"' },
    "passes the first line on": {
      script: '/bin/bash "$@" | head -n 1',
      quick: EITHER(CUT_OFF, MIXED, DROPPED),
      slow: EITHER(CUT_OFF, MIXED, DROPPED),
    },
    "passes the first bytes on": {
      script: '/bin/bash "$@" | head -c 60',
      quick: EITHER(CUT_OFF, MIXED, DROPPED),
      slow: EITHER(CUT_OFF, MIXED, DROPPED),
    },
    "mixes stderr into stdout": { script: '/bin/bash "$@" 2>&1', quick: MIXED, slow: MIXED },
    "holds stderr back": { script: 'exec /bin/bash "$@" 2> >(sleep 1.2; cat >&2)' },
    "holds stdout back": { script: 'exec /bin/bash "$@" > >(sleep 1.2; cat)' },
    "drops stderr": { script: 'exec /bin/bash "$@" 2>/dev/null', quick: EITHER(DROPPED, MIXED), slow: DROPPED },
    "prints without end beside the command": {
      script: 'yes flood & yes flooderr >&2 & exec /bin/bash "$@"',
      quick: EITHER(
        /had begun: whether it ran is not known$/,
        /beside the commands: the state of the command is unknown$/,
        /^5$/,
      ),
      slow: EITHER(
        /had begun: whether it ran is not known$/,
        /beside the commands: the state of the command is unknown$/,
        /^0$/,
      ),
    },
    "records a terminal": {
      script: `[ "$1" = -c ] && SHELL=/bin/bash exec timeout --foreground 20 script -qfc "$2" /dev/null; exec /bin/bash "$@"`,
      quick: EITHER(MIXED, CHANGED),
      slow: EITHER(MIXED, CHANGED),
    },
    "keeps control characters to itself": {
      script: `/bin/bash "$@" > >(sed -u 's/[[:cntrl:]]//g') 2> >(sed -u 's/[[:cntrl:]]//g' >&2)`,
      quick: CHANGED,
      slow: CHANGED,
    },
    "doubles lines": { script: '/bin/bash "$@" | sed -u p', quick: CHANGED, slow: CHANGED },
    "writes in front of lines": {
      script: `/bin/bash "$@" > >(sed -u 's/^/[h1] /')`,
      quick: CHANGED,
      slow: CHANGED,
    },
    "leaves equal lines out": { script: `/bin/bash "$@" | stdbuf -oL uniq`, quick: CHANGED, slow: CHANGED },
    "expands tabs": { script: `/bin/bash "$@" | sed -u 's/\t/    /g'`, quick: CHANGED, slow: CHANGED },
    "folds long lines": { script: `/bin/bash "$@" | stdbuf -oL fold -w 120`, quick: CHANGED, slow: CHANGED },
    "cuts long lines": { script: `/bin/bash "$@" | stdbuf -oL cut -c1-132`, quick: CHANGED, slow: CHANGED },
    "drops spaces at the end": { script: `/bin/bash "$@" | sed -u 's/ *$//'`, quick: CHANGED, slow: CHANGED },
    "ends lines as DOS does": { script: `/bin/bash "$@" | sed -u 's/$/\\r/'`, quick: CHANGED, slow: CHANGED },
    "has few files and little time": {
      script: 'ulimit -t 1; ulimit -n 4; exec /bin/bash "$@"',
      quick: /./,
      slow: /./,
    },
    "prints the first mark alone": {
      script: `n=$(echo "$2" | grep -ao '[0-9a-f]\\{32\\}' | head -1); printf '\\001%s b %s\\n' "$n" $$; printf '\\001%s p\\t%0100d \\n' "$n" 0 "$n" 0; printf '\\001%s B\\n\\001%s p\\n' "$n" "$n" >&2; exit 0`,
      quick: EITHER(CUT_OFF, NOT_BEGUN, UNHEARD),
      slow: EITHER(CUT_OFF, NOT_BEGUN, UNHEARD),
    },
  };
  for (const [what, odd] of Object.entries(shells))
    describe(what, () => {
      let server: Sshd;
      beforeAll(async () => void (server = await startSshd({ shell: await program("shell", odd.script) })));
      afterAll(() => server?.stop());
      for (const sshTransport of ["embedded", "openssh"])
        describe(sshTransport, () => {
          const connector = createSshConnector({
            home: "/nonexistent",
            env: { PATH: process.env.PATH },
            systemConfigFile: "/nonexistent",
          });
          afterAll(() => connector.close?.());
          const connect = () =>
            connector.connect!(
              targetFor("web-1", {
                ...server.data,
                sshTransport,
                sshConfigFile: "none",
                sshKnownHostsFile: join(server.home, ".ssh/known_hosts"),
              }),
              connectorContext(),
            );
          check(odd, connect, PLAIN);
        });
    });
});

/** As sudo, su and doas understand their words, without becoming anybody. */
const WORDS = `while :; do case "$1" in -c) shift; set -- /bin/sh -c "$@"; break;; -u|-s|-p) shift 2;; -*) shift;; root) shift;; *) break;; esac; done`;

describe("what becomes somebody else", () => {
  const carriers: Readonly<Record<string, Odd>> = {
    "is as it should be": { script: `${WORDS}; exec "$@"` },
    "does nothing": { script: "exit 0", quick: EITHER(NOT_BEGUN, UNHEARD), slow: EITHER(NOT_BEGUN, UNHEARD) },
    "says why it does nothing, and calls that a success": {
      script: "echo Not today >&2; exit 0",
      quick: /^not begun [1-9]\d*: Not today/,
      slow: /^not begun [1-9]\d*: Not today/,
    },
    "prints before and behind the command": {
      script: `echo Welcome; echo Hello >&2; ${WORDS}; "$@"; c=$?; echo Bye; exit $c`,
      isExact: true,
    },
    "asks for something": {
      script: `${WORDS}; printf 'Password: ' >&2; IFS= read -r x || exit 1; exec "$@"`,
      quick: EITHER(/^not begun [1-9]\d*: Password:/, /^5$/),
      only: "su",
    },
    "drops stdout": { script: `${WORDS}; exec "$@" >/dev/null`, quick: EITHER(DROPPED, MIXED), only: "sudo" },
    "drops stderr": { script: `${WORDS}; exec "$@" 2>/dev/null`, quick: EITHER(DROPPED, UNHEARD, MIXED), only: "sudo" },
    "loses the exit code": { script: `${WORDS}; "$@"; exit 0` },
    "kills what takes long, and calls that a success": {
      script: `${WORDS}; "$@" <&0 & sleep 0.7; kill -9 $!; exit 0`,
      // What it kills may not be what runs the command.
      slow: EITHER(CUT_OFF, /^0$/),
    },
    "reads lines first": { script: `${WORDS}; IFS= read -r -t 1 x; IFS= read -r -t 1 y; exec "$@"` },
    "mixes stderr into stdout": { script: `${WORDS}; exec "$@" 2>&1`, quick: MIXED, slow: MIXED },
    "doubles lines": { script: `${WORDS}; "$@" 2> >(sed -u p >&2) | sed -u p`, quick: /./, slow: /./ },
  };
  for (const [what, odd] of Object.entries(carriers))
    for (const [name, surroundings] of Object.entries({ sudo: SUDO, su: SU, doas: DOAS }).filter(
      ([name]) => name === (odd.only ?? name),
    ))
      describe(`${name} ${what}`, () => {
        let path: string;
        beforeAll(async () => void (path = join(await program(name, odd.script), "..")));
        const connect = () =>
          createLocalConnector({ env: { ...process.env, PATH: `${path}:${process.env.PATH}` } }).connect!(
            targetFor(""),
            connectorContext(),
          );
        check(odd, connect, surroundings);
      });
});
