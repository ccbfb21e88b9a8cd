/** A run: its five stages. @module */
import type { Config } from "../core/config.ts";
import type { Connector, ConnectorContext } from "../core/connector.ts";
import type { CallSite, TsinfraError } from "../core/errors.ts";
import type { CommandResult, FactSource, HostIdentity, LocalFiles } from "../core/host.ts";
import { connectHosts, createHost, disconnectHosts } from "./connect.ts";
import { Engine } from "./engine.ts";
import type { Emit, ProposedChange } from "./events.ts";
import { execute } from "./execute.ts";
import { type PlannedOperation, plan, propose } from "./plan.ts";
import { askFacts, prepare } from "./prepare.ts";
import type { LocalTransfers } from "./session.ts";

/** One part of a chain of connections. */
export interface Hop {
  readonly connector: string;
  readonly address: string;
}

/** A host before it is connected. */
export interface HostDefinition {
  readonly name: string;
  /** `ssh`, `local`, `docker` … */
  readonly connector: string;
  readonly address: string;
  /** The connections that this one goes through, the first of them from here: `[{ connector: "ssh", address: "bastion" }]`. */
  readonly through?: readonly Hop[];
  /** In the order listed; later ones win. `all` is added. */
  readonly groups: readonly string[];
  /** Data layers, highest precedence first; `--data` before host data before groups before `all`. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** Another controller works on it: it is known and answers facts, but takes no part in this run. */
  readonly isElsewhere?: boolean;
}

/** Wall and monotonic time, and waiting; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `seconds`; rejects with the signal's reason when aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** What a run needs from outside. */
export interface RunSettings {
  readonly hosts: readonly HostDefinition[];
  readonly config: Config;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly connectorContext: ConnectorContext;
  readonly local: LocalFiles;
  readonly emit: Emit;
  readonly clock: Clock;
  /** Reading and writing files of the control machine in pieces. */
  readonly transfers: LocalTransfers;
  /** Directory that relative paths start from. */
  readonly cwd: string;
  /** Load the file of a `local.include`; `includedFrom` is the including file. */
  loadDeploy(file: string, includedFrom: string | undefined): Promise<Deploy>;
  /** Check an operation's own arguments against what its types say. Throws `OperationTypeError`. */
  checkArguments(operation: string, args: object): void;
  /** Run a command on the control machine. */
  localShell(command: string): Promise<CommandResult>;
  /** The user's files on the call stack, innermost first; of an error, on the stack on which it was made. */
  callSites(error?: unknown): readonly CallSite[];
  /** A unified diff; `undefined` stands for a file that is not there. */
  unifiedDiff(path: string, before: string | undefined, after: string | undefined): string;
  /** The control machine's environment variables, for `config.inheritEnv`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Host by host through all operations. */
  readonly serial: boolean;
  /** Every host goes through its own operations without waiting for the others. */
  readonly noWait: boolean;
  /** Commands share a shell that stays, facts are asked ahead, small uploads ride in commands; false where one must be sure. */
  readonly fast: boolean;
  readonly signal: AbortSignal;
}

/** One deploy file, or anything else that declares operations for a host. */
export interface Deploy {
  /** For output: the file's path relative to `cwd`. */
  readonly name: string;
  /** Absolute path of the file, if it is one. */
  readonly file?: string;
  /** Called once per host inside the host's scope, all hosts concurrently. */
  evaluate(): Promise<void>;
}

/** A run in progress. The stages are called in this order; `disconnect` always, whatever happened before. */
export interface Run {
  /** Connect to all hosts in parallel. A host that cannot be reached fails alone. */
  connect(): Promise<void>;
  /**
   * Evaluate the deploys, one after the other, each on all hosts at once, and forecast every operation.
   * Rejects with a `TsinfraError` if what the user wrote is wrong; nothing has run then.
   */
  prepare(deploys: readonly Deploy[]): Promise<void>;
  /** What would change, in the order of execution. Emits `changes`. */
  propose(): readonly ProposedChange[];
  /** Run all operations. Emits `results`, also when it rejects with `TooManyFailuresError` or `CancelledError`. */
  execute(): Promise<void>;
  /** Close every connection. Never rejects. */
  disconnect(): Promise<void>;
  /** Hosts that take part, in inventory order; with a connection, and not failed. */
  readonly activeHosts: readonly string[];
  readonly failedHosts: readonly string[];
  /** Ask facts of all active hosts, for `tsinfra INVENTORY fact`: the answer per host; a fact that fails is an error there and does not fail the host. */
  facts(
    ask: (host: FactSource & HostIdentity) => Promise<unknown>,
  ): Promise<ReadonlyMap<string, { readonly answer: unknown } | { readonly error: TsinfraError }>>;
}

/** Begin a run. Nothing happens before its stages are called. */
export function createRun(settings: RunSettings): Run {
  const engine = new Engine(
    settings,
    settings.hosts.map(definition => createHost(settings, definition)),
  );
  let planned: readonly PlannedOperation[] = [];
  return {
    connect: () => connectHosts(engine),
    prepare: async deploys => {
      await prepare(engine, deploys);
      planned = plan(engine);
    },
    propose: () => propose(engine, planned),
    execute: () => execute(engine, planned),
    disconnect: () => disconnectHosts(engine),
    get activeHosts() {
      return engine.activeHosts.map(host => host.name);
    },
    get failedHosts() {
      return engine.hosts.filter(host => host.error).map(host => host.name);
    },
    facts: ask => askFacts(engine, ask),
  };
}
