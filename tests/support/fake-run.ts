/** A run against scripted hosts: no network, no processes, no clock. */
import type { Connection, Connector, OutputStream, RunOptions, RunResult } from "../../src/core/connector.ts";
import { DEFAULT_CONFIG, type Config } from "../../src/core/config.ts";
import { ConnectError } from "../../src/core/errors.ts";
import type { LocalFiles } from "../../src/core/host.ts";
import { callSites } from "../../src/deploy/call-site.ts";
import type { EngineEvent } from "../../src/engine/events.ts";
import { createRun, type Run } from "../../src/engine/run.ts";
import type { Deploy, HostDefinition, RunSettings } from "../../src/engine/settings.ts";

/** What a fake host answers to a command; `exitCode` 0 and no output unless said. */
export interface Output {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** What was to run it does not: sudo, su or the login shell say so instead. */
  readonly isRefusal?: boolean;
}
export type Answer = Output | Error | undefined;

export interface FakeHosts {
  /** Answers a command of a host. The engine's own marks are dealt with. */
  answer?(host: string, command: string, options: RunOptions): Answer | Promise<Answer>;
  /** Hosts that cannot be reached. */
  unreachable?: readonly string[];
}

export interface FakeRun {
  readonly run: Run;
  readonly events: EngineEvent[];
  /** Commands in the order they were sent: `host: command`. */
  readonly sent: string[];
  readonly sleeps: number[];
  /** Seconds to add to the clock. */
  advance(seconds: number): void;
  of<T extends EngineEvent["type"]>(type: T): Extract<EngineEvent, { type: T }>[];
}

/** A connector whose hosts are a function. */
function fakeConnector(hosts: FakeHosts, sent: string[]): Connector {
  return {
    name: "fake",
    summary: "Scripted hosts.",
    can: { pty: true, rsync: false },
    dataKeys: {},
    async connect({ name }): Promise<Connection> {
      if (hosts.unreachable?.includes(name)) throw new ConnectError("Connection refused", { host: name });
      return {
        async run(command, options = {}): Promise<RunResult> {
          options.signal?.throwIfAborted();
          const line = command.wire();
          const nonce = /echo (tsinfra-\w+) \$\$ >&2; /.exec(line)?.[1];
          const inner = unwrap(line);
          sent.push(`${name}: ${inner}`);
          const say = (stream: OutputStream, text: string | Uint8Array): void | Promise<void> =>
            text.length > 0 ? options.onOutput?.(stream, Buffer.from(text)) : undefined;
          let hasBegun = nonce === undefined;
          const begin = (): void => {
            if (hasBegun) return;
            hasBegun = true;
            void say("stdout", `${nonce}o 4242\n`);
            void say("stderr", `${nonce} 4242\n`);
          };
          const onOutput = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
            begin();
            return say(stream, chunk);
          };
          const answering = hosts.answer?.(name, inner, { ...options, onOutput });
          const answer = await Promise.race([answering, aborted(options.signal)]);
          if (answer instanceof Error) throw answer;
          const { exitCode = 0, stdout = "", stderr = "", isRefusal = false } = answer ?? {};
          const isMarked = !isRefusal && nonce !== undefined;
          if (isMarked) begin();
          void say("stdout", stdout + (isMarked ? ending(line, `${nonce}o`, exitCode) : ""));
          void say("stderr", stderr + (isMarked ? ending(line, nonce, exitCode) : ""));
          return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
        },
        async close() {},
      };
    },
  };
}

/** Where it becomes somebody else a command tells its own end. */
const ending = (line: string, nonce: string, exitCode: number): string =>
  line.includes("\\001%s %s") ? `\x01${nonce} ${exitCode}\n` : "";

const aborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));

/** The command inside `sh -c 'echo NONCE $$ >&2; echo NONCEo $$; COMMAND'`. */
function unwrap(line: string): string {
  const quoted = /^sh -c '([\s\S]*)'$/.exec(line)?.[1];
  if (quoted === undefined) return line;
  return quoted.replaceAll(`'"'"'`, "'").replace(/^echo tsinfra-\w+ \$\$ >&2; (?:echo tsinfra-\w+ \$\$; )?/, "");
}

/** Make a run whose hosts are named, or defined in full. */
export function fakeRun(
  hosts: readonly (string | (Partial<HostDefinition> & { name: string }))[],
  fake: FakeHosts = {},
  settings: Partial<Omit<RunSettings, "config">> & { config?: Partial<Config> } = {},
): FakeRun {
  const events: EngineEvent[] = [];
  const sent: string[] = [];
  const sleeps: number[] = [];
  let now = 0;
  const run = createRun({
    hosts: hosts.map(host => ({
      connector: "fake",
      groups: [],
      data: [],
      ...(typeof host === "string" ? { name: host, address: host } : { address: host.name, ...host }),
    })),
    connectors: new Map([["fake", fakeConnector(fake, sent)]]),
    connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: "/" },
    local: {} as LocalFiles,
    transfers: {
      size: async () => 0,
      small: async () => undefined,
      read: async function* () {},
      write: async () => ({ push() {}, async commit() {}, async discard() {} }),
    },
    emit: event => events.push(event),
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: async (seconds, signal) => {
        signal?.throwIfAborted();
        sleeps.push(seconds);
        now += seconds * 1000;
      },
    },
    cwd: "/",
    serial: false,
    noWait: false,
    signal: new AbortController().signal,
    loadDeploy: async file => Promise.reject(new Error(`No such deploy: ${file}`)),
    localShell: async () => ({ exitCode: 0, stdout: "", stderr: "", stdoutLines: [], stderrLines: [], isCut: false }),
    unifiedDiff: (path, before, after) => `${path}: ${before} -> ${after}`,
    callSites,
    checkArguments: () => {},
    environment: {},
    fast: false,
    ...settings,
    config: { ...DEFAULT_CONFIG, ...settings.config },
  });
  return {
    run,
    events,
    sent,
    sleeps,
    advance: seconds => void (now += seconds * 1000),
    of: type => events.filter(event => event.type === type) as never,
  };
}

/** A deploy that is a function of a test. */
export const deployOf = (body: () => unknown, name = "deploy.ts"): Deploy => ({
  name,
  evaluate: async () => void (await body()),
});

/** All stages; what `execute` threw is returned. */
export async function runAll({ run }: FakeRun, ...bodies: (() => unknown)[]): Promise<unknown> {
  await run.connect();
  try {
    await run.prepare(bodies.map((body, index) => deployOf(body, `deploy-${index}.ts`)));
    await run.execute();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await run.disconnect();
  }
}
