/**
 * The fast way equals the plain way, on random programs: the same files, outcomes and order with the fast paths on and off.
 *
 *   TSINFRA_PROGRAMS=5000 bun test tests/engine/fast-plain.test.ts     more of them
 *   TSINFRA_PROGRAMS=2501-5000 bun test …                              some, by their numbers
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalConnector } from "../../src/connectors/local.ts";
import type { ConnectorArguments, GlobalArguments } from "../../src/core/arguments.ts";
import { Secret, sh } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { fact } from "../../src/core/fact.ts";
import type { OperationHandle } from "../../src/core/handle.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { callSites, localTransfers } from "../../src/deploy/index.ts";
import { createLocalFiles } from "../../src/deploy/local-files.ts";
import type { EngineEvent } from "../../src/engine/events.ts";
import { createRun } from "../../src/engine/run.ts";
import { Directory, File } from "../../src/facts/files/index.ts";
import { directory, file, line, put } from "../../src/operations/files/index.ts";
import { script, shell } from "../../src/operations/server/index.ts";
import { call } from "../../src/operations/ts.ts";

const [FIRST = 1, LAST = FIRST] = seeds(process.env["TSINFRA_PROGRAMS"] ?? "1-300");
const PROGRAMS = LAST - FIRST + 1;
/** Programs become other users where they may. */
const CAN_BECOME =
  process.getuid?.() === 0 &&
  Bun.spawnSync(["sudo", "-n", "-u", "nobody", "true"], { stderr: "ignore" }).exitCode === 0;
if (!CAN_BECOME) console.warn("No sudo to other users here: programs of several users are not among those that run");

setDefaultTimeout(Math.max(600_000, PROGRAMS * 4000));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-plain-"));
  await chmod(root, 0o755);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** `300`: the first so many; `17-17`: that one. */
function seeds(text: string): readonly number[] {
  const numbers = text.split("-").map(Number);
  return numbers.length === 1 ? [1, ...numbers] : numbers;
}

type Next = (below: number) => number;

function random(seed: number): Next {
  let last = (seed * 2_654_435_761) % 2_147_483_648;
  return below => {
    last = (last * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((last / 2_147_483_648) * below);
  };
}

/** What commands do to their shell: no other may see it. */
const STATES = [
  "kill -9 $$",
  "kill $$",
  "f() { kill -9 $$; }; f",
  "trap 'exit 3' TERM; kill $$",
  "trap 'exit 3' EXIT",
  "trap '' TERM; kill $$",
  "(exit 3)",
  "exec false",
  "exec >/dev/null",
  "exec 2>&1",
  "exec <&-",
  "exec 3>/dev/null",
  "set -e; false",
  "set -u; echo $c $r1 $o",
  "set -n",
  "set -- one two",
  "cd /",
  "umask 027",
  "ulimit -n 64",
  "readonly PATH c o r1",
  "PATH=/nowhere",
  "unset PATH HOME",
  "export WORD=left",
  "IFS=:",
  "alias echo=false",
  "echo() { return 3; }",
  "unset -f echo; if then",
];

/** How a program is run. */
interface Shape {
  readonly hosts: number;
  readonly serial: boolean;
  readonly noWait: boolean;
  readonly parallel: number;
}

/** What the steps of a program must know. */
interface Setting {
  readonly base: string;
  readonly noWait: boolean;
}

const shapeOf = (next: Next): Shape => {
  const strategy = next(4);
  return { hosts: 1 + next(4), serial: strategy === 1, noWait: strategy === 2, parallel: strategy === 3 ? 2 : 0 };
};

async function execute(seed: number, base: string, fast: boolean) {
  const shape = shapeOf(random(seed));
  const setting = { base, noWait: shape.noWait };
  const events: EngineEvent[] = [];
  const names = Array.from({ length: shape.hosts }, (_, index) => `h${index}`);
  for (const name of names) {
    await mkdir(join(base, name), { recursive: true });
    await chmod(join(base, name), 0o777);
  }
  await writeFile(join(base, "script.sh"), `#!/bin/sh\nmkdir -p "$1" && echo "script $2" >>"$1/log"\n`);
  const run = createRun({
    hosts: names.map(name => ({ name, connector: "local", address: "", groups: [], data: [] })),
    config: { ...DEFAULT_CONFIG, parallel: shape.parallel },
    connectors: new Map([["local", createLocalConnector()]]),
    connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: base },
    local: createLocalFiles({ deployDir: base, cwd: base }),
    transfers: localTransfers,
    emit: event => events.push(event),
    clock: {
      now: () => performance.now(),
      monotonic: () => performance.now(),
      sleep: seconds => Bun.sleep(seconds * 1000),
    },
    cwd: base,
    loadDeploy: async name => ({ name, evaluate: () => steps(random(seed * 7 + 1), setting, 1 + (seed % 4)) }),
    checkArguments: () => {},
    localShell: async () => Promise.reject(new Error("There is none")),
    callSites,
    unifiedDiff: path => path,
    environment: process.env,
    serial: shape.serial,
    noWait: shape.noWait,
    fast,
    signal: new AbortController().signal,
  });
  let ended = "well";
  try {
    await run.connect();
    await run.prepare([{ name: "deploy.ts", evaluate: () => program(random(seed * 3 + 2), setting) }]);
    await run.execute();
  } catch (error) {
    ended = error instanceof Error ? error.message.replaceAll(base, "BASE") : String(error);
  } finally {
    await run.disconnect();
  }
  const text = (value: unknown): string => JSON.stringify(value).replaceAll(base, "BASE");
  const told = names.map(name => ({
    name,
    operations: events
      .filter(event => event.type === "operation:host:end")
      .filter(({ host }) => host === name)
      .map(({ operation: what, outcome, commands, retryAttempts, nested, error }) =>
        text([what, outcome, commands, retryAttempts, nested, error?.code]),
      ),
  }));
  const order = events.filter(event => event.type === "operation:start").map(({ id, hosts }) => text([id, hosts]));
  // Hosts that go at their own pace have an order each; among them there is none.
  return { ended, told, order: shape.noWait ? order.length : order, files: await filesOf(base) };
}

/** All that is there: names, modes, owners, contents. */
async function filesOf(base: string): Promise<string> {
  const list = `cd "$1" && find . -mindepth 1 | LC_ALL=C sort | while read -r f; do stat -c '%n %A %U' "$f"; [ -d "$f" ] || cat "$f"; done`;
  return Bun.spawn(["sh", "-c", list, "sh", base], { stderr: "inherit" }).stdout.text();
}

/** What is asked behind a command of its own, and about it. */
const Lines = fact<{ readonly path: string }, readonly string[]>({
  name: "test.Lines",
  command: ({ path }) => sh`cat ${path} 2>/dev/null || true`,
  parse: lines => lines,
  empty: [],
});

/** Yields, asks, and yields by the answer. */
const countTo = operation<{ readonly path: string; readonly lines: number }>({
  name: "test.countTo",
  async *steps(host, { path, lines }) {
    for (let count = 0; count < 5; count++) {
      const now = await host.getFact(Lines, { path });
      if (now.length >= lines) return host.noop(`${now.length} lines`);
      yield sh`echo ${`line ${now.length}`} >>${path}`;
    }
  },
});

/** Asks in a way of its own, and leaves a command that tells the answer. */
const mirror = operation<{ readonly path: string; readonly to: string; readonly how: ConnectorArguments }>({
  name: "test.mirror",
  changes: "anything",
  async *steps(host, { path, to, how }) {
    const found = await host.getFact(Lines, { path, ...how });
    yield sh`echo ${found.join("/")} >>${to}`;
    const again = await host.getFact(Lines, { path: to, ...how });
    if (again.length > 3) yield sh`rm ${to}`;
  },
});

async function program(next: Next, setting: Setting): Promise<void> {
  const { host } = currentScope("This test");
  await steps(next, setting, 4 + next(7));
  if (next(3) === 0) {
    const { local } = currentScope("This test");
    await local.include("./included.ts");
    await steps(next, setting, 1 + next(2));
  }
  // What only some hosts do.
  if (next(3) === 0 && host.name !== "h1") await steps(next, setting, 2);
}

/** How a fact is asked: as the operation runs, in a channel of its own, or as somebody else. */
const asking = (next: Next): ConnectorArguments =>
  [
    {},
    {},
    { _timeout: 20 },
    { _stdin: "x" },
    { _env: { X: "a & b" } },
    { _chdir: "/" },
    { _shellExecutable: "bash" },
    CAN_BECOME ? { _sudo: true, _sudoUser: "nobody" } : {},
  ][next(8)]!;

async function steps(next: Next, { base, noWait }: Setting, count: number): Promise<void> {
  const { host } = currentScope("This test");
  const own = join(base, host.name);
  const handles: OperationHandle[] = [];
  const path = (): string => `${own}/${["a", "b", "c/d", "c", "R&D", "it's", "x y/z"][next(7)]}`;
  const mode = (): string => ["600", "644", "755"][next(3)]!;
  const how = (): GlobalArguments => {
    const args: Record<string, unknown> = { _ignoreErrors: next(8) > 0 };
    const more = next(16);
    if (more === 0) Object.assign(args, { _retries: 1, _retryDelay: 0 });
    if (more === 1) args["_timeout"] = 30;
    if (more === 2) args["_env"] = { WORD: "a & b" };
    if (more === 3) args["_chdir"] = own;
    if (more === 4) args["_continueOnError"] = true;
    if (more === 5) args["_serial"] = true;
    // Where no host waits for another, the first that comes to it has it.
    if (more === 6 && !noWait) args["_runOnce"] = true;
    if (more === 7 && handles.length > 0) args["_if"] = handles[next(handles.length)]!.didChange;
    if (more === 8 && handles.length > 0) args["_if"] = handles[next(handles.length)]!.didNotChange;
    if (more === 9 && CAN_BECOME) Object.assign(args, { _sudo: true, _sudoUser: "nobody" });
    if (more === 10) args["_shellExecutable"] = "bash";
    if (more === 11) args["_parallel"] = 2;
    return args;
  };
  const plain = (): GlobalArguments => {
    const { _runOnce: _, _serial: __, _parallel: ___, ...rest } = how();
    return rest;
  };
  const append = (): string => `echo "$WORD shell ${next(3)}" >>'${path().replaceAll("'", `'\\''`)}'`;
  for (; count > 0; count--) {
    const kinds: (() => OperationHandle | undefined)[] = [
      () => directory({ path: path(), mode: mode(), present: next(4) > 0, ...how() }),
      () => file({ path: path(), mode: mode(), present: next(4) > 0, ...how() }),
      () => put({ content: `text ${next(3)} & more\n`, dest: path(), mode: mode(), ...how() }),
      () => line({ path: path(), line: `line ${next(3)}`, present: next(3) > 0, ...how() }),
      () => shell({ commands: [`sleep 0.0${next(3)}; ${append()}`], ...how() }),
      () => shell({ commands: [`sleep 0.02; echo more >>'${own}/count'`], ...how() }),
      () => shell({ commands: [append(), `exit ${next(2)}`, append()], ...how() }),
      () => shell({ commands: [`${append()}; ${STATES[next(STATES.length)]!}\n${append()}`, append()], ...how() }),
      () => shell({ commands: [`umask >>'${own}/umask'; pwd; echo $# $- >>'${own}/umask'; ${append()}`], ...how() }),
      () => shell({ commands: [`rm -rf '${path().replaceAll("'", `'\\''`)}'`], ...how() }),
      () => shell({ commands: [`mkdir -p '${own}/R&D' && { sleep 0.01 & wait; }; ${append()}`], ...how() }),
      () => shell({ commands: [`printf 'no newline at the end'; ${append()}`, "echo error >&2"], ...how() }),
      () => shell({ commands: [`cat >'${own}/stdin'`], _stdin: `input ${next(5)}\n`, ...how() }),
      () => script({ src: "script.sh", args: [path(), next(3)], ...how() }),
      () => mirror({ path: path(), to: `${own}/mirror`, how: asking(next), ...how() }),
      () => mirror({ path: `${own}/count`, to: `${own}/mirror`, how: asking(next), ...how() }),
      () => countTo({ path: `${own}/count`, lines: 1 + next(4), ...how() }),
      () =>
        shell({
          commands: [sh`echo ${new Secret("secret")} >>${`${own}/secret`}; kill $$; rm -f ${path()}`],
          ...how(),
        }),
      () => {
        const [command, nested, where] = [append(), next(2), path()];
        return call({
          name: "A callback",
          async function(control) {
            if (nested > 0) put({ content: "nested\n", dest: where, _ignoreErrors: true });
            shell({ commands: [command], _ignoreErrors: true });
            const before = await control.getFact(File, { path: where });
            if (before.type === "file") await control.run(sh`echo direct >>${`${own}/direct`}`);
          },
          ...plain(),
        });
      },
    ];
    const handle = kinds[next(kinds.length)]!();
    if (handle) handles.push(handle);
    // Facts of the deploy's own, with arguments of their own, in between.
    if (next(5) === 0) {
      const found = await host.getFact(next(2) === 0 ? File : Directory, { path: path(), ...asking(next) });
      if (found.type === "file") shell({ commands: [`echo found >>'${own}/found'`], _ignoreErrors: true });
    }
  }
}

test(`${PROGRAMS} random programs do the same with the fast paths and without`, async () => {
  for (let seed = FIRST; seed <= LAST; seed++) {
    const base = join(root, `p${seed}`);
    const results = [];
    for (const fast of [true, false]) {
      results.push(await execute(seed, base, fast));
      await rm(base, { recursive: true, force: true });
    }
    expect({ seed, ...results[0] }).toEqual({ seed, ...results[1]! });
  }
});
