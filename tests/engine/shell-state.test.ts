/** What a command does to its shell is its own affair, with the fast paths as without. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import type { GlobalArguments } from "../../src/core/arguments.ts";
import { Secret, sh } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { callSites, localTransfers } from "../../src/deploy/index.ts";
import { createLocalFiles } from "../../src/deploy/local-files.ts";
import type { EngineEvent } from "../../src/engine/events.ts";
import { createRun } from "../../src/engine/run.ts";
import { shell } from "../../src/operations/server/index.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(300_000);

let sshd: Sshd;
let root: string;
beforeAll(async () => {
  sshd = await startSshd();
  root = await mkdtemp(join(tmpdir(), "tsinfra-state-"));
  await chmod(root, 0o777);
});
afterAll(async () => {
  await sshd.stop();
  await rm(root, { recursive: true });
});

/** Each with a line before it and one behind it, in the same command. */
const STATES: readonly string[] = [
  "kill -9 $$",
  "kill $$",
  "f() { kill -9 $$; echo in f; }; f",
  "trap 'echo caught' TERM; kill $$",
  "trap 'echo caught; exit 4' TERM; kill -TERM $$",
  "trap 'echo at the end' EXIT; exit 3",
  "trap 'exit 5' EXIT",
  "trap '' TERM; kill $$; trap",
  "trap '' HUP INT QUIT TERM",
  "(exit 3)",
  "(kill -9 $$)",
  "exec false",
  "exec true",
  "exec nosuchprogram",
  "exec >/dev/null",
  "exec 2>&1; echo error >&2",
  "exec <&-; read -r line || echo nothing to read",
  "exec 3>third; echo three >&3; cat third",
  "exec 2>&-",
  "set -e; false",
  "set -u; echo $nothing",
  "set -n",
  "set -f; echo *",
  "set -x",
  "set -- one two; echo $# $1",
  "echo $# ${1-none}",
  "set -C; echo clobbered >log.clobbered; echo again >log.clobbered",
  "cd /; pwd",
  "umask 027; umask",
  "ulimit -n 64; ulimit -n",
  "ulimit -f 0",
  "readonly PATH",
  "readonly c o r1",
  "PATH=/nowhere",
  "export PATH=/nowhere",
  "unset PATH HOME",
  "export LATER=1; NOW=1",
  "echo ${LATER-unset} ${NOW-unset} ${c-unset} ${o-unset} ${r1-unset} ${r2-unset}",
  "set -u; echo $c",
  "set -u; echo $r1",
  "echo() { printf 'mine\\n'; }; echo x; unset -f echo",
  "unset -f nosuch; command -v f || printf 'no f\\n'",
  "alias printf=false; alias ll='ls -l'",
  "alias ll",
  "IFS=:; words=a:b; printf '%s\\n' $words",
  "words='a b'; printf '%s\\n' $words",
  "printf() { echo mine; }; test() { false; }",
  "eval 'kill -9 $$'",
  "p='$'; eval \"kill -9 $p$p\"",
  "printf 'kill -9 $$\\n' >lib; . ./lib",
  "mkdir once.$$",
  "mkdir once.$$; rmdir once.*",
  "sh -c 'kill -9 $PPID'; sleep 0.1",
  "if then",
  "echo 'unterminated",
  "return 3",
  "exit 300",
  "exit word",
  "echo $-",
  "echo $0",
  "nosuchprogram",
  "wait; jobs; echo ${!-none}",
  "times >/dev/null; hash -r; getopts a: x -a 1; echo $OPTIND",
  "getopts a: x -a 1; echo $OPTIND",
];

/** Something that a shell in which nothing was done does not tell. */
const PROBE =
  'echo "$PWD $(umask) $(ulimit -n) $(ulimit -f) $- $# ${LATER-} ${NOW-} ${words-} ${c-} $PATH ${HOME-}"; printf "%s" "$IFS" | od -c; trap; alias; command -v f echo test printf; test 1 = 1; echo $?; echo error >&2; { echo here >&3; } || true';

const Asked = fact<object, readonly string[]>({
  name: "test.Asked",
  command: () =>
    sh`echo $\{o-} $\{c-}; c=fact; o=fact; echo $(pwd) $(umask) $\{LATER-} $\{r1-} $#; cd /; umask 077; set -- 1 2; exec 2>/dev/null; trap "" TERM; exit 0`,
  parse: lines => lines,
  empty: [],
});

/** Asks between two commands, one of which holds a secret. */
const asking = operation<object>({
  name: "test.asking",
  changes: "anything",
  async *steps(host) {
    const found = await host.getFact(Asked);
    yield sh`echo $\{c-} $\{o-} $# $(pwd) ${found.join(" ")}`;
    yield sh`echo $\{c-} $\{o-} $# $(pwd) ${new Secret("secret")} >>secrets; kill -9 $$; echo next >>secrets`;
  },
});

interface Way {
  readonly connector: "local" | "ssh";
  readonly how: GlobalArguments;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Runs `body` on a host; `signal` ends it. */
async function deploy(
  { connector, data }: Way,
  body: () => Promise<void>,
  { fast, signal = new AbortController().signal }: { readonly fast: boolean; readonly signal?: AbortSignal },
) {
  const events: EngineEvent[] = [];
  const run = createRun({
    hosts: [
      {
        name: "here",
        connector,
        address: connector === "ssh" ? "127.0.0.1" : "",
        groups: [],
        data:
          connector === "ssh"
            ? [{ ...sshd.data, sshKnownHostsFile: join(sshd.home, ".ssh/known_hosts"), sshConfigFile: "none", ...data }]
            : [],
      },
    ],
    config: DEFAULT_CONFIG,
    connectors: new Map([
      ["local", createLocalConnector()],
      ["ssh", createSshConnector({ home: sshd.home, systemConfigFile: "/nonexistent" })],
    ]),
    connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: root },
    local: createLocalFiles({ deployDir: root, cwd: root }),
    transfers: localTransfers,
    emit: event => events.push(event),
    clock: { now: () => Date.now(), monotonic: () => performance.now(), sleep: seconds => Bun.sleep(seconds * 1000) },
    cwd: root,
    loadDeploy: async () => Promise.reject(new Error("There is none")),
    checkArguments: () => {},
    localShell: async () => Promise.reject(new Error("There is none")),
    callSites,
    unifiedDiff: path => path,
    environment: process.env,
    serial: false,
    noWait: false,
    fast,
    signal,
  });
  let ended = "well";
  try {
    await run.connect();
    await run.prepare([{ name: "deploy.ts", evaluate: body }]);
    await run.execute();
  } catch (error) {
    ended = error instanceof Error ? error.message : String(error);
  } finally {
    await run.disconnect();
  }
  return { events, ended };
}

/** What became of each operation, and what it printed. */
function told(events: readonly EngineEvent[], work: string): readonly string[] {
  const clean = (text: string): string =>
    text
      .replaceAll(work, "WORK")
      .replace(/once\.\d+/, "once.PID")
      // Whose messages have the number of a line has it of another one.
      .replace(/^(\S*sh): \d+: /, "$1: N: ");
  let printed: string[] = [];
  return events.flatMap(event => {
    if (event.type === "output" && event.for === "operation") {
      // Whoever started a shell that was killed may say so, or not.
      if (!/^(Killed|Terminated|File size limit exceeded)$/.test(event.line))
        printed.push(clean(`${event.stream} ${event.line}`));
    }
    if (event.type !== "operation:host:end") return [];
    const { outcome, commands, error } = event;
    // Which of the two streams is heard first, nobody says.
    const all = printed.toSorted((one, other) => one.localeCompare(other));
    printed = [];
    const ended = `${outcome}, ${commands} commands`;
    // Read in one piece with what says that it has begun, it does not begin; both ways say why.
    if (/syntax error|unexpected EOF|^Command did not begin/im.test(`${all.join("\n")}\n${error?.message}`))
      return [`${ended}: a syntax error`];
    return [[...all, clean(`${ended}${error ? `: ${error.message}` : ""}`)].join("\n")];
  });
}

const CAN_BECOME =
  process.getuid?.() === 0 &&
  Bun.spawnSync(["sudo", "-n", "-u", "nobody", "true"], { stderr: "ignore" }).exitCode === 0;
if (!CAN_BECOME) console.warn("No sudo to other users here: what runs under it is not among what is compared");

const WAYS: Readonly<Record<string, Way>> = {
  "on this machine": { connector: "local", how: {} },
  "in bash": { connector: "local", how: { _shellExecutable: "bash" } },
  "over SSH": { connector: "ssh", how: {} },
  "over the machine's own ssh": { connector: "ssh", how: {}, data: { sshTransport: "openssh" } },
  ...(CAN_BECOME
    ? {
        "as somebody else": { connector: "local", how: { _sudo: true, _sudoUser: "nobody" } },
        "as somebody else over SSH": { connector: "ssh", how: { _sudo: true, _sudoUser: "nobody" } },
        "as somebody else over the machine's own ssh": {
          connector: "ssh",
          how: { _sudo: true, _sudoUser: "nobody" },
          data: { sshTransport: "openssh" },
        },
      }
    : {}),
};

describe("what a command does to its shell", () => {
  for (const [name, way] of Object.entries(WAYS))
    test(`is seen by no other, and means what it always means: ${name}`, async () => {
      const results = [];
      for (const fast of [true, false]) {
        const work = await mkdtemp(join(root, "work-"));
        await chmod(work, 0o777);
        const { events, ended } = await deploy(
          way,
          async () => {
            await currentScope("This test").host.getFact(Asked, way.how as object);
            for (const [index, state] of STATES.entries()) {
              const commands = [`cd ${work} && echo before; ${state}\necho behind ${index} >>log; echo behind`];
              shell({ name: state, commands: [...commands, PROBE], ...way.how, _ignoreErrors: true });
              shell({ name: `behind ${state}`, commands: [PROBE], ...way.how, _ignoreErrors: true });
            }
            asking({ ...way.how, _chdir: work, _ignoreErrors: true });
            asking({ ...way.how, _chdir: work, _ignoreErrors: true, _env: { HERE: work } });
          },
          { fast },
        );
        // Nothing of ours is told, not even where a shell shows the line that it cannot read.
        expect(JSON.stringify(events)).not.toMatch(/tsinfra-[0-9a-f]{32}/);
        const files = await Bun.$`cd ${work} && ls && cat log secrets`.text();
        results.push({
          ended,
          told: told(events, work),
          files: files.replace(/once\.\d+/g, "once.PID").replaceAll(work, "WORK"),
        });
      }
      expect(results[0]).toEqual(results[1]!);
    });

  test("a program is looked for anew each time: another one may be the first that is found", async () => {
    const results = [];
    for (const fast of [true, false]) {
      const work = await mkdtemp(join(root, "work-"));
      await Bun.$`mkdir ${work}/bin && ln -s /bin/touch ${work}/bin/touch`;
      const how: GlobalArguments = { _shellExecutable: "bash", _ignoreErrors: true };
      const path = process.env["PATH"];
      process.env["PATH"] = `${work}/bin:${path}`;
      const { events, ended } = await deploy(
        { connector: "local", how },
        async () => {
          await currentScope("This test").host.getFact(Asked);
          shell({ commands: [`touch ${work}/one`], ...how });
          shell({ commands: [`rm ${work}/bin/touch`], ...how });
          shell({ commands: [`touch ${work}/two`], ...how });
        },
        { fast },
      );
      process.env["PATH"] = path;
      results.push({ ended, told: told(events, work), files: await Bun.$`ls ${work}`.text() });
    }
    expect(results[0]).toEqual(results[1]!);
  });

  for (const [name, way] of Object.entries(WAYS))
    test(`ends with the run where it has stopped itself: ${name}`, async () => {
      for (const fast of [true, false]) {
        const work = await mkdtemp(join(root, "work-"));
        await chmod(work, 0o777);
        const controller = new AbortController();
        const running = deploy(
          way,
          async () =>
            void shell({
              commands: [`cd ${work} && echo $$ >pid.new && mv pid.new pid; kill -STOP $$; echo never >never`],
              ...way.how,
            }),
          { fast, signal: controller.signal },
        );
        const state = (): string | undefined => {
          try {
            return /^\d+ \(.*\) (\S)/.exec(
              readFileSync(`/proc/${readFileSync(join(work, "pid"), "utf8").trim()}/stat`, "utf8"),
            )?.[1];
          } catch {
            return undefined;
          }
        };
        await until("it has stopped itself", async () => state() === "T");
        controller.abort(new Error("enough"));
        await running;
        expect({ fast, files: await Bun.$`ls ${work}`.text() }).toEqual({ fast, files: "pid\n" });
      }
    });
});
