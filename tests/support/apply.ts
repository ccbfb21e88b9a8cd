/** Run one operation on a test host, through the engine, and say what it did. @module */
import { runProcess } from "../../src/connectors/shared/process.ts";
import type { ConnectorArguments, GlobalArguments } from "../../src/core/arguments.ts";
import type { Secret } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import type { Connector } from "../../src/core/connector.ts";
import type { Fact, FactCallArguments } from "../../src/core/fact.ts";
import type { OperationHost } from "../../src/core/host.ts";
import { type Operation, operation as define, type OperationDefinition } from "../../src/core/operation.ts";
import { callSites, localTransfers } from "../../src/deploy/index.ts";
import { createLocalFiles } from "../../src/deploy/local-files.ts";
import type { EngineEvent, ErrorReport } from "../../src/engine/events.ts";
import { createRun, type Run } from "../../src/engine/run.ts";
import { localHost, type TestHost } from "./test-host.ts";

export { chrootHost, localHost, mustRun, type TestHost } from "./test-host.ts";

/** Where and how to apply an operation. */
export interface ApplyOptions {
  /** Default: this machine. */
  readonly host?: TestHost;
  /** Global arguments of the call. */
  readonly globals?: GlobalArguments;
  /** Directory that relative local paths start from; default: the working directory. */
  readonly deployDir?: string;
  /** Ask the operation for diffs. */
  readonly diff?: boolean;
}

/** What an operation did. */
export interface Applied {
  /** At least one command was run. */
  readonly changed: boolean;
  /** Commands as printed, secrets masked. */
  readonly commands: readonly string[];
  readonly noops: readonly string[];
  readonly warnings: readonly string[];
  readonly diffs: readonly Diff[];
  /** Lines its commands printed, joined. */
  readonly stdout: string;
  readonly stderr: string;
}

/** How an operation says a file changes. */
export interface Diff {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | Secret | undefined;
}

/** An operation that failed while it was executed, with the tail of what its command printed. */
export class FailedOperation extends Error {
  readonly code: string;
  constructor({ code, message, output = [] }: ErrorReport) {
    super([message, ...output].join("\n"));
    this.code = code;
  }
}

/**
 * Bring a host into the state that an operation describes.
 * Throws what the operation throws while it is forecast, and `FailedOperation` when it fails later.
 */
export async function apply<A extends object>(
  operation: OperationDefinition<A>,
  args: A,
  options: ApplyOptions = {},
): Promise<Applied> {
  const { observed, said } = observe(operation);
  const events: EngineEvent[] = [];
  const run = await connected(options, events);
  try {
    await run.prepare([
      { name: "test", evaluate: async () => void declare(observed, { ...args, ...options.globals }) },
    ]);
    await run.execute().catch((error: unknown) => Promise.reject(failureIn(events) ?? error));
    const failure = failureIn(events);
    if (failure) throw failure;
  } finally {
    await run.disconnect();
  }
  const outcome = events.findLast(event => event.type === "operation:host:end" && !event.nested);
  const printed = (stream: "stdout" | "stderr") =>
    events.flatMap(event =>
      event.type === "output" && event.for === "operation" && event.stream === stream ? [event.line] : [],
    );
  return {
    changed: outcome?.type === "operation:host:end" && outcome.outcome === "changed",
    commands: events.flatMap(event => (event.type === "command" && event.for === "operation" ? [event.command] : [])),
    ...said,
    stdout: printed("stdout").join("\n"),
    stderr: printed("stderr").join("\n"),
  };
}

/** Apply twice: the first time must change something, the second nothing. Gives back the first. */
export async function applyTwice<A extends object>(
  operation: OperationDefinition<A>,
  args: A,
  options: ApplyOptions = {},
): Promise<Applied> {
  const first = await apply(operation, args, options);
  if (!first.changed) throw new Error(`${operation.name} changed nothing the first time: ${first.noops.join("; ")}`);
  const second = await apply(operation, args, options);
  if (second.changed)
    throw new Error(`${operation.name} is not idempotent, the second time it ran:\n${second.commands.join("\n")}`);
  return first;
}

/** Ask a fact of a test host. */
export async function askFact<A extends object, T>(
  fact: Fact<A, T>,
  args: A,
  host: TestHost = localHost(),
  globals: ConnectorArguments = {},
): Promise<T> {
  const run = await connected({ host }, []);
  const answers: T[] = [];
  try {
    const asked = await run.facts(
      async one => void answers.push(await one.getFact(fact, ...given(fact, { ...args, ...globals }))),
    );
    for (const result of asked.values()) if ("error" in result) throw result.error;
  } finally {
    await run.disconnect();
  }
  const [answer] = answers;
  return answer as T;
}

/** TypeScript cannot see that arguments of a known type are what a call of that type takes. */
const given = <A extends object, T>(_fact: Fact<A, T>, args: A & ConnectorArguments) =>
  [args] as unknown as FactCallArguments<A>;
const declare = <A extends object>(operation: Operation<A>, args: A & GlobalArguments) =>
  (operation as (args: A & GlobalArguments) => unknown)(args);

async function connected(
  { host = localHost(), deployDir = process.cwd(), diff = false }: ApplyOptions,
  events: EngineEvent[],
): Promise<Run> {
  const cwd = process.cwd();
  const began = performance.now();
  const run = createRun({
    hosts: [{ name: "test-host", connector: "test", address: "test-host", groups: [], data: [] }],
    config: { ...DEFAULT_CONFIG, diff },
    connectors: new Map([["test", connectorOf(host)]]),
    connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd },
    local: createLocalFiles({ deployDir, cwd }),
    transfers: localTransfers,
    emit: event => events.push(event),
    clock: {
      now: () => START + performance.now() - began,
      monotonic: () => performance.now(),
      sleep: seconds => Bun.sleep(seconds * 1000),
    },
    cwd,
    loadDeploy: file => Promise.reject(new Error(`A test includes no deploy file: ${file}`)),
    checkArguments: () => {},
    localShell: () => Promise.reject(new Error("A test runs nothing on the control machine")),
    callSites,
    unifiedDiff: path => path,
    environment: process.env,
    serial: false,
    noWait: false,
    fast: process.env.TSINFRA_FAST !== "0",
    signal: new AbortController().signal,
  });
  await run.connect();
  return run;
}

/** When every run begins, so that the names of backups are known. */
const START = Date.UTC(2026, 0, 1);

const connectorOf = (host: TestHost): Connector => ({
  name: "test",
  summary: "A test host.",
  can: { pty: true, rsync: false },
  dataKeys: {},
  connect: async () => ({
    run: (command, options) =>
      runProcess(host.argv(command.wire()), { ...options, ...(host.env ? { env: host.env } : {}) }),
    close: async () => {},
  }),
});

/** The same operation, and what it says to its host: what it says while it is executed is what stays. */
function observe<A extends object>(
  original: OperationDefinition<A>,
): { readonly observed: Operation<A>; readonly said: Pick<Applied, "noops" | "warnings" | "diffs"> } {
  const said = { noops: [] as string[], warnings: [] as string[], diffs: [] as Diff[] };
  const listening = (host: OperationHost): OperationHost =>
    new Proxy(host, {
      get(target, key) {
        if (key === "noop") return (reason: string) => (said.noops.push(reason), target.noop(reason));
        if (key === "warn") return (message: string) => (said.warnings.push(message), target.warn(message));
        if (key === "showDiff")
          return (path: string, before: string | undefined, after: Diff["after"]) => (
            said.diffs.push({ path, before, after }),
            target.showDiff(path, before, after)
          );
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const observed = define<A>({
    name: original.name,
    steps(host, args) {
      for (const list of Object.values(said)) list.length = 0;
      return original.steps(listening(host), args);
    },
  });
  return { observed, said };
}

function failureIn(events: readonly EngineEvent[]): FailedOperation | undefined {
  for (const event of events)
    if ((event.type === "operation:host:end" || event.type === "host:failed") && event.error)
      return new FailedOperation(event.error);
  return undefined;
}
