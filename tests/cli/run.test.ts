import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { EventEmitter } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/index.ts";
import type { Interruption, Io } from "../../src/cli/io.ts";
import { Secret } from "../../src/core/command.ts";
import type { Connector } from "../../src/core/connector.ts";
import { CancelledError, FactError, TooManyFailuresError } from "../../src/core/errors.ts";
import type { RunParts } from "../../src/cli/run-settings.ts";
import type { Emit, EngineEvent, ProposedChange } from "../../src/engine/events.ts";
import type { Run } from "../../src/engine/run.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-run-"));
  await writeFile(join(root, "deploy.ts"), "export {};\n");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const text = (chunk: string | Uint8Array): string =>
  typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();

const can = { pty: false, rsync: false };
const connectors = new Map<string, Connector>([
  ["local", { name: "local", summary: "", can, dataKeys: {} }],
  [
    "ssh",
    {
      name: "ssh",
      summary: "",
      can,
      dataKeys: {
        sshUser: { type: "string", description: "" },
        sshPassword: { type: "secret", description: "" },
        sshStrictHostKeyChecking: { type: "string", description: "" },
      },
    },
  ],
]);

interface World {
  readonly isTerminal?: boolean;
  /** Typed at the questions, in turn. */
  readonly answers?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly changes?: readonly string[];
  /** What stops the run before it begins. */
  readonly stopped?: TooManyFailuresError;
  /** Hosts that cannot be connected. */
  readonly unreachable?: readonly string[];
  readonly onExecute?: (emit: Emit, interrupt: () => void, onOutput: RunParts["onOutput"]) => Promise<void>;
  readonly answer?: (host: string) => unknown;
}
interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Stages that were called. */
  readonly calls: readonly string[];
  readonly parts: RunParts | undefined;
}

/** A command line against a run that does nothing but say what was called. */
async function cli(args: readonly string[], world: World = {}): Promise<Outcome> {
  const written = { out: "", err: "" };
  const calls: string[] = [];
  let parts: RunParts | undefined;
  const interrupts = new Set<(why: Interruption) => void>();
  const answers = [...(world.answers ?? [])];
  const keyboard = Object.assign(new EventEmitter(), {
    isTTY: world.isTerminal ?? false,
    setRawMode: () => {},
    pause: () => {},
    resume: () => void setImmediate(() => keyboard.emit("data", `${answers.shift() ?? ""}\n`)),
  });
  const io: Io = {
    stdout: { write: chunk => void (written.out += text(chunk)) },
    stderr: { write: chunk => void (written.err += text(chunk)), isTTY: world.isTerminal ?? false, columns: 80 },
    stdin: keyboard,
    closed: [],
    environment: { ...world.environment },
    clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
    cwd: () => root,
    chdir: () => {},
    guardSignals: async () => {},
    onContinue: () => () => {},
    stop: () => {},
    onInterrupt: callback => {
      interrupts.add(callback);
      return () => interrupts.delete(callback);
    },
    onStray: () => () => {},
    onStuck: () => () => {},
    discard: () => false,
    idle: async () => true,
    flush: async () => {},
    exit: code => void calls.push(`exit ${code}`),
    connectors: () => Promise.resolve(connectors),
    run: given => {
      parts = given;
      return Promise.resolve(fakeRun(given, world, calls, () => interrupts.forEach(callback => callback("SIGINT"))));
    },
  };
  const code = await runCli(args, "1.2.3", io);
  expect(interrupts.size).toBe(0);
  return { code, ...written, calls, parts };
}

function fakeRun({ emit, hosts, onOutput }: RunParts, world: World, calls: string[], interrupt: () => void): Run {
  const failed: string[] = [];
  const active = (): string[] => hosts.map(host => host.name).filter(name => !failed.includes(name));
  const proposed: readonly ProposedChange[] = (world.changes ?? ["Install"]).map((operation, index) => ({
    operation,
    id: String(index),
    change: active(),
    conditional: [],
    unchanged: [],
  }));
  const stage = (name: string): void => void calls.push(name);
  return {
    hasTooManyFailed: world.stopped !== undefined,
    stopped: world.stopped,
    forgetAnswers: () => stage("forget"),
    connect: async () => {
      stage("connect");
      for (const host of world.unreachable ?? []) {
        failed.push(host);
        emit({
          type: "host:failed",
          host,
          stage: "connect",
          error: { code: "E_CONNECT", message: `Cannot connect to ${host}` },
        });
      }
    },
    prepare: async deploys => stage(`prepare ${deploys.map(deploy => deploy.name).join(" ")}`),
    propose: () => {
      stage("propose");
      emit({ type: "changes", proposed });
      return proposed;
    },
    execute: async () => {
      stage("execute");
      let hasResults = false;
      const telling: typeof emit = event => {
        hasResults ||= event.type === "results";
        emit(event);
      };
      try {
        await world.onExecute?.(telling, interrupt, onOutput);
      } finally {
        if (!hasResults) emit({ type: "results", operations: [], hosts: [], seconds: 1, ok: failed.length === 0 });
      }
    },
    disconnect: async () => stage("disconnect"),
    get activeHosts() {
      return active();
    },
    sentAhead: [],
    evaluating: [],
    get failedHosts() {
      return failed;
    },
    expectNothingLate: () => {},
    facts: async () => new Map(active().map(name => [name, world.answer?.(name) as { readonly answer: unknown }])),
  };
}
const WHOLE = ["connect", "prepare deploy.ts", "propose", "execute", "disconnect"];

describe("a deploy", () => {
  test("at a terminal is shown, confirmed and executed", async () => {
    for (const typed of ["", "y", "yes"]) {
      const { code, calls, err } = await cli(["web", "deploy.ts"], { isTerminal: true, answers: [typed] });
      // While it was read, the hosts may have changed.
      expect([code, calls]).toEqual([0, WHOLE.toSpliced(3, 0, "forget")]);
      expect(err).toContain("Proposed changes");
      expect(err).toContain("Go on? [Y/n]");
    }
  });

  test("changes no line in place where nobody watches, or where the terminal cannot", async () => {
    const err = async (environment: Record<string, string>): Promise<string> =>
      (await cli(["web", "deploy.ts", "-y"], { isTerminal: true, environment, onExecute })).err;
    const onExecute = async (emit: Emit): Promise<void> => emit({ type: "stage:start", stage: "connect", hosts: 1 });
    expect(await err({})).toContain("\x1b[2K");
    expect(await err({ CI: "false" })).toContain("\x1b[2K");
    expect(await err({ CI: "true" })).not.toContain("\x1b[2K");
    expect(await err({ TERM: "dumb" })).not.toContain("\x1b");
  });

  test("that is not confirmed changes nothing, and that is fine", async () => {
    const { code, calls, err } = await cli(["web", "deploy.ts"], { isTerminal: true, answers: ["n"] });
    expect([code, calls]).toEqual([0, WHOLE.filter(stage => stage !== "execute")]);
    expect(err).toContain("Nothing was changed");
  });

  test("with -y, or TSINFRA_YES, is not asked about", async () => {
    expect((await cli(["web", "deploy.ts", "-y"])).calls).toEqual(WHOLE);
    expect((await cli(["web", "deploy.ts"], { environment: { TSINFRA_YES: "1" } })).calls).toEqual(WHOLE);
    expect((await cli(["web", "deploy.ts", "-y"], { isTerminal: true })).err).not.toContain("Go on?");
  });

  test("with --dry stops after the table", async () => {
    const { code, calls, err } = await cli(["web", "deploy.ts", "--dry"]);
    expect([code, calls]).toEqual([0, WHOLE.filter(stage => stage !== "execute")]);
    expect(err).toContain("Install");
    expect((await cli(["web,db", "deploy.ts", "--dry"], { unreachable: ["db"] })).code).toBe(1);
  });

  test("without a terminal and without -y shows the table and refuses", async () => {
    const { code, calls, err, out } = await cli(["web", "deploy.ts"]);
    expect([code, calls]).toEqual([2, WHOLE.filter(stage => stage !== "execute")]);
    expect(err).toContain("Install");
    expect(err).toContain("Hint: -y goes on without asking");
    expect(out).toBe("");
    expect((await cli(["web", "deploy.ts", "--json"], { isTerminal: true })).code).toBe(2);
  });

  test("that would change nothing needs no permission", async () => {
    expect((await cli(["web", "deploy.ts"], { changes: [] })).calls).toEqual(WHOLE);
  });

  test("tells at the question which hosts failed to connect, and ends with 1", async () => {
    const { code, err } = await cli(["web-1,web-2,db", "deploy.ts", "--no-color"], {
      isTerminal: true,
      unreachable: ["web-1", "web-2"],
    });
    expect(err).toContain("2 hosts failed and will be left out: web-[1-2]");
    expect(code).toBe(1);
  });

  test("with nobody left still tells the results", async () => {
    const { code, calls } = await cli(["web", "deploy.ts"], { unreachable: ["web"] });
    expect([code, calls]).toEqual([1, ["connect", "execute", "disconnect"]]);
  });

  test("that stops for too many failures ends with 1 and says which rule it was", async () => {
    const { code, err, calls } = await cli(["web", "deploy.ts", "-y"], {
      onExecute: emit => {
        const host = { host: "web", changed: 0, unchanged: 0, failed: 0, ignored: 0, interrupted: 0, notReached: 1 };
        emit({ type: "results", operations: [], hosts: [host], seconds: 1, ok: false });
        return Promise.reject(new TooManyFailuresError("2 of 3 hosts failed (67 %)"));
      },
    });
    expect([code, calls.at(-1)]).toEqual([1, "disconnect"]);
    expect(err).toContain("Stopped: 2 of 3 hosts failed (67 %)");
    expect(err).toMatch(/^Results$[^]*^Stopped: 2 of 3/m);
  });

  test("that would be stopped by too many failures says so in a dry run", async () => {
    const stopped = new TooManyFailuresError("2 of 3 hosts failed (67 %), failPercent allows 25 %");
    const { code, err } = await cli(["web-1,web-2", "deploy.ts", "--dry"], { stopped, unreachable: ["web-1"] });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^Proposed changes$[^]*\n\nWould stop: 2 of 3 hosts failed \(67 %\), failPercent allows 25 %\n$/m,
    );
  });

  test("that has too many failures when nothing is left to do does not say that it stopped", async () => {
    const host = { changed: 1, unchanged: 0, failed: 0, ignored: 0, interrupted: 0, notReached: 0 };
    const error = { code: "E_COMMAND", message: "No" };
    const run = (missed: number) =>
      cli(["web-1,web-2", "deploy.ts", "-y"], {
        onExecute: async emit => {
          emit({
            type: "results",
            operations: [],
            hosts: [
              { ...host, host: "web-1", failed: 1, notReached: 1, error },
              { ...host, host: "web-2", notReached: missed },
            ],
            seconds: 1,
            ok: false,
          });
          throw new TooManyFailuresError("1 of 2 hosts failed (50 %), failPercent allows 0 %");
        },
      });
    const [whole, cut] = await Promise.all([run(0), run(1)]);
    expect([whole.code, cut.code]).toEqual([1, 1]);
    expect(whole.err).toContain(
      "Failed: 1 of 2 hosts failed (50 %), failPercent allows 0 %; nothing was left to stop\n",
    );
    expect(whole.err).not.toContain("Stopped:");
    expect(cut.err).toContain("Stopped: 1 of 2 hosts failed (50 %), failPercent allows 0 %\n");
  });

  test("that is interrupted ends in order with 130; the second time at once", async () => {
    const once = await cli(["web", "deploy.ts", "-y"], {
      onExecute: async (_, interrupt) => {
        interrupt();
        throw new CancelledError("The run was interrupted");
      },
    });
    expect([once.code, once.calls.at(-1)]).toEqual([130, "disconnect"]);
    expect(once.err).toContain("Press Ctrl-C again to leave at once");
    const twice = await cli(["web", "deploy.ts", "-y"], {
      onExecute: async (_, interrupt) => {
        interrupt();
        interrupt();
      },
    });
    expect(twice.calls).toContain("exit 130");
  });

  test("aborts the engine's signal when interrupted", async () => {
    const { parts } = await cli(["web", "deploy.ts", "-y"], { onExecute: async (_, interrupt) => interrupt() });
    expect(parts?.signal.aborted).toBe(true);
    expect(parts?.signal.reason).toBeInstanceOf(CancelledError);
  });

  test("that breaks in our own code shows a stack only on demand", async () => {
    const broken = { onExecute: () => Promise.reject(new RangeError("oops")) };
    const quiet = await cli(["web", "deploy.ts", "-y"], broken);
    expect(quiet.code).toBe(1);
    expect(quiet.err).toContain("Error: RangeError: oops\nHint: This is a mistake in tsinfra");
    expect(quiet.err).not.toMatch(/^\s+at /m);
    expect((await cli(["web", "deploy.ts", "-y"], { ...broken, environment: { TSINFRA_DEBUG: "1" } })).err).toMatch(
      /^\s+at .*run\.test\.ts/m,
    );
  });
});

describe("what the engine is given", () => {
  test("comes from the command line, then the environment, then the config file", async () => {
    await writeFile(
      join(root, "lab.ts"),
      "export default { retry: 1, parallel: 1, sudo: true, data: { sshUser: 'config', tier: 1 }, serial: true };\n",
    );
    const { parts } = await cli(
      [
        "web",
        "deploy.ts",
        "--dry",
        "--config",
        "lab.ts",
        "--retry",
        "3",
        "--sudo=false",
        "--user",
        "cli",
        "--data",
        "port=80",
      ],
      {
        environment: { TSINFRA_RETRY: "2", TSINFRA_PARALLEL: "2" },
      },
    );
    expect(parts?.settings.config).toMatchObject({ retry: 3, parallel: 2, sudo: false, diff: false });
    expect([parts?.settings.serial, parts?.settings.noWait]).toEqual([true, false]);
    expect(Object.assign({}, ...[...(parts?.hosts[0]?.data ?? [])].reverse())).toEqual({
      sshUser: "cli",
      port: 80,
      tier: 1,
    });
  });

  test("has passwords as secrets, and shows them nowhere", async () => {
    const outcome = await cli(["web", "deploy.ts", "--dry", "-vvv", "--password", "hunter2"], {
      environment: { TSINFRA_SUDO_PASSWORD: "hunter3" },
    });
    expect(outcome.parts?.settings.config.sudoPassword).toBeInstanceOf(Secret);
    expect(outcome.parts?.hosts[0]?.data[0]?.["sshPassword"]).toBeInstanceOf(Secret);
    // Commands on this machine inherit the environment.
    expect(outcome.parts?.environment["TSINFRA_SUDO_PASSWORD"]).toBeUndefined();
    expect(outcome.out + outcome.err + JSON.stringify(outcome.parts?.hosts)).not.toContain("hunter");
    const shown = await cli(["web", "debug-inventory", "--password", "hunter2"]);
    expect(shown.out).toContain('"sshPassword": "***"');
  });

  test("has the sudo password that was asked for once, before connecting", async () => {
    const { parts, err } = await cli(["web", "deploy.ts", "--dry", "--use-sudo-password"], {
      isTerminal: true,
      answers: ["hunter2"],
    });
    expect((parts?.settings.config.sudoPassword as Secret).reveal()).toBe("hunter2");
    expect(err).not.toContain("hunter2");
    const refused = await cli(["web", "deploy.ts", "--dry", "--use-sudo-password"]);
    expect([refused.code, refused.calls]).toEqual([2, []]);
    expect(refused.err).toContain("TSINFRA_SUDO_PASSWORD");
  });

  test("accepts new host keys only when told to", async () => {
    const data = async (...args: string[]) =>
      (await cli(["web", "deploy.ts", "--dry", ...args])).parts?.hosts[0]?.data[0];
    expect(await data()).toEqual({});
    expect(await data("--ssh-accept-new")).toEqual({ sshStrictHostKeyChecking: "accept-new" });
  });
});

describe("without an inventory", () => {
  test("the config's is used", async () => {
    await writeFile(join(root, "with-inventory.ts"), 'export default { inventory: "db-1,db-2" };\n');
    const { parts } = await cli(["deploy.ts", "--dry", "--config", "with-inventory.ts"]);
    expect(parts?.hosts.map(host => host.name)).toEqual(["db-1", "db-2"]);
    const shown = await cli(["debug-inventory", "--config", "with-inventory.ts"]);
    expect(Object.keys((JSON.parse(shown.out) as { readonly hosts: object }).hosts)).toEqual(["db-1", "db-2"]);
  });

  test("this machine is worked on only after a question, whatever -y says", async () => {
    expect((await cli(["debug-inventory"], { isTerminal: true, answers: ["y"] })).out).toContain('"@local"');
    for (const world of [{}, { isTerminal: true, answers: [""] }]) {
      const { code, err } = await cli(["debug-inventory", "-y"], world);
      expect(code).toBe(2);
      expect(err).toContain("There is no inventory");
      const deploy = await cli(["deploy.ts", "-y", "--no-color"], world);
      expect([deploy.code, deploy.err]).toEqual([
        2,
        expect.stringContaining(
          'There is no inventory to run "deploy.ts" on\nHint: Name one before it: tsinfra @local deploy.ts. If deploy.ts is the inventory, name what to run after it',
        ),
      ]);
    }
  });
});

describe("facts", () => {
  const answers = (host: string): unknown =>
    host === "bad" ? { error: new FactError("Cannot read the answer") } : { answer: { name: host, none: undefined } };

  test("are JSON on stdout: by host, and by fact where there are several", async () => {
    const one = await cli(["a,b", "fact", "server.Hostname"], { answer: answers });
    expect(JSON.parse(one.out)).toEqual({ a: { name: "a" }, b: { name: "b" } });
    expect([one.code, one.err]).toEqual([0, ""]);
    const two = await cli(["a", "fact", "server.Hostname", "files.File", "path=/x"], { answer: answers });
    expect(JSON.parse(two.out)).toEqual({
      "server.Hostname": { a: { name: "a" } },
      "files.File (path=/x)": { a: { name: "a" } },
    });
  });

  test("that fail on a host are told on stderr and make the exit code 1", async () => {
    const { code, out, err } = await cli(["a,bad", "fact", "server.Hostname"], { answer: answers });
    expect([code, JSON.parse(out)]).toEqual([1, { a: { name: "a" } }]);
    expect(err).toBe("Failed: server.Hostname on bad: Cannot read the answer\n");
  });

  test("are events with --json", async () => {
    const { out } = await cli(["a,bad", "fact", "server.Hostname", "--json"], { answer: answers });
    expect(
      out
        .trimEnd()
        .split("\n")
        .map(line => JSON.parse(line) as unknown),
    ).toEqual([
      {
        type: "fact:answer",
        time: "1970-01-01T00:00:00.000Z",
        host: "a",
        fact: "server.Hostname",
        answer: { name: "a" },
      },
      {
        type: "fact:answer",
        time: "1970-01-01T00:00:00.000Z",
        host: "bad",
        fact: "server.Hostname",
        error: { code: "E_FACT", message: "Cannot read the answer" },
      },
    ]);
  });

  test("and operations that do not exist are named before anything is connected", async () => {
    const fact = await cli(["a", "fact", "server.Hostnme"]);
    expect([fact.code, fact.calls, fact.err]).toEqual([
      2,
      [],
      'Error: There is no fact "server.Hostnme"\nHint: Did you mean "server.Hostname"?\n',
    ]);
    expect((await cli(["a", "fact", "Hostname"])).err).toContain('Did you mean "server.Hostname"?');
    expect((await cli(["a", "fact", "path=/x", "files.File"])).err).toContain(
      '"path=/x" stands before the name of a fact',
    );
    expect((await cli(["a", "apt.packges", "vim"])).err).toContain('Did you mean "apt.packages"?');
    expect((await cli(["a", "filez.put"])).err).toContain('Did you mean "files.put"?');
  });
});

describe("exec", () => {
  const output = (host: string, stream: "stdout" | "stderr", line: string): EngineEvent => ({
    type: "output",
    host,
    stream,
    line,
    for: "operation",
  });
  const prints = async (emit: Emit): Promise<void> => {
    emit(output("a", "stdout", "one"));
    emit(output("bb", "stderr", "two"));
    emit(output("bb", "stdout", "  three\t"));
  };

  test("prints what commands print, behind the host's name where there are several", async () => {
    const { out, err, code, calls } = await cli(["a,bb", "exec", "--", "x"], { onExecute: prints });
    expect([code, calls]).toEqual([0, ["connect", "prepare exec", "execute", "disconnect"]]);
    expect(out).toBe("a:  one\nbb:   three\t\n");
    expect(err).toBe("bb: two\n");
  });

  test("passes the bytes of one host through, and puts nothing into a line that has not ended", async () => {
    const { out, err } = await cli(["a", "exec", "--", "x"], {
      onExecute: async (emit, _, onOutput) => {
        await onOutput("a", "stdout", Buffer.from("one\r\n\0tw"));
        emit(output("a", "stdout", "one"));
        await onOutput("a", "stdout", Buffer.from("o"));
        await onOutput("a", "stderr", Buffer.from("dots .."));
        emit({
          type: "operation:host:end",
          id: "1",
          operation: "exec x",
          host: "a",
          outcome: "failed",
          commands: 0,
          retryAttempts: 0,
          seconds: 0,
          nested: false,
          unfinished: true,
          error: { code: "E_COMMAND", message: "Command failed with exit code 1 on a: x" },
        });
      },
    });
    expect(out).toBe("one\r\n\0two");
    expect(err).toBe("dots ..\n  a  Failed: Command failed with exit code 1: x\n");
  });

  test("prints events, and nothing else, with --json", async () => {
    const { out, err } = await cli(["a,bb", "exec", "--json", "--", "x"], { onExecute: prints });
    expect(
      out
        .trimEnd()
        .split("\n")
        .map(line => (JSON.parse(line) as { readonly type: string }).type),
    ).toEqual(["output", "output", "output", "results"]);
    expect(err).toBe("");
  });

  test("with --dry runs nothing", async () => {
    expect((await cli(["a", "exec", "--dry", "--", "x"])).calls).not.toContain("execute");
  });
});

describe("around it all", () => {
  test("--version and --help go to stdout", async () => {
    expect(await cli(["--version"])).toMatchObject({ code: 0, out: "1.2.3\n", err: "" });
    const help = await cli(["--help"]);
    expect(help.code).toBe(0);
    expect(help.out).toContain("tsinfra INVENTORY DEPLOY.ts...");
    for (const line of help.out.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
    expect((await cli(["web", "exec", "--help"])).out).toContain("Run a shell command on every host");
    expect((await cli(["check", "-h"])).out).toContain("tsinfra check [FILE...]");
    expect((await cli(["web", "apt.packages", "--help"])).out).toContain("Run one operation");
    expect((await cli(["help"])).out).toBe(help.out);
    expect((await cli(["help", "exec"])).out).toContain("Run a shell command on every host");
    // A host may have this name.
    expect((await cli(["help", "deploy.ts", "-y"])).calls).toEqual(WHOLE);
  });

  test("without arguments help goes to stderr, with 2", async () => {
    const { code, out, err } = await cli([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage");
  });

  test("an error with --json is an event too", async () => {
    const { code, out, err } = await cli(["--json", "@nope", "debug-inventory"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      type: "error",
      error: { code: "E_INVENTORY", hint: expect.any(String) as string },
    });
    expect(err).toContain("Error: Host");
  });

  test("--debug-operations prints the operations as JSON", async () => {
    const { out, calls } = await cli(["web", "deploy.ts", "--debug-operations"]);
    expect(JSON.parse(out)).toEqual([
      { operation: "Install", id: "0", change: ["web"], conditional: [], unchanged: [] },
    ]);
    expect(calls).not.toContain("execute");
  });

  test("options that exclude each other are refused", async () => {
    expect(await cli(["web", "deploy.ts", "--serial", "--no-wait"])).toMatchObject({ code: 2, calls: [] });
    expect((await cli(["web", "deploy.ts", "--fail-percent", "101"])).err).toContain(
      "Option --fail-percent must be a number from 0 to 100, found 101",
    );
  });
});
