/** What a run is given from outside. Types alone. @module */
import type { Config } from "../core/config.ts";
import type { Connector, ConnectorContext, OutputStream } from "../core/connector.ts";
import type { CallSite } from "../core/errors.ts";
import type { CommandResult, LocalFiles } from "../core/host.ts";
import type { Emit } from "./events.ts";

/** One part of a chain of connections. */
export interface ChainLink {
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
  readonly through?: readonly ChainLink[];
  /** In the order listed; later ones win. `all` is added. */
  readonly groups: readonly string[];
  /** Data layers, highest precedence first; `--data` before host data before groups before `all`. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** Another controller works on it: it is known and answers facts, but takes no part in this run. */
  readonly isElsewhere?: boolean;
  /** The run is limited to others: it is known and answers facts, but takes no part, here or with another controller. */
  readonly isOutside?: boolean;
}

/** Wall and monotonic time, and waiting; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. The date may be set while a run goes on: nothing is measured with it. */
  now(): number;
  /** Milliseconds since some moment, which only ever grow. */
  monotonic(): number;
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
  /** Check an operation's own arguments against what its types say, and the text in them and in its global ones. Throws `OperationTypeError`. */
  checkArguments(operation: string, args: object, globals?: object): void;
  /** Run a command on the control machine. Of its output the last `KEPT_OUTPUT` bytes are kept; `isCut` is of standard output alone. */
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
  /** Aborted when the run is interrupted: what runs is ended. */
  readonly signal: AbortSignal;
  /** Aborted some time after `signal`: what has not ended by then is not waited for any longer. Absent: it is. */
  readonly givenUp?: AbortSignal;
  /** Lines that commands print become events; default true. Where nobody is to see them they need not be made. */
  readonly tellsOutput?: boolean;
  /** Told what commands print, byte for byte, beside the events of its lines; the chunk is good for the call alone. No more is read from that host before a promise that it returns has settled, where the connection can wait. */
  onOutput?(host: string, stream: OutputStream, chunk: Uint8Array): Promise<void> | undefined;
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

/** Reading and writing the control machine's files in pieces. */
export interface LocalTransfers {
  /** Bytes of a file. */
  size(path: string): Promise<number>;
  /** All of a file of at most that many bytes, else `undefined`. Many hosts that ask share one reading. */
  small(path: string, most: number): Promise<Uint8Array | undefined>;
  read(path: string): AsyncIterable<Uint8Array>;
  /** Throws `LocalFileError`, as everything that is done with the sink does. */
  write(path: string): Promise<LocalSink>;
}

/** Replaces a file of the control machine when it is complete. */
export interface LocalSink {
  /** Copies the chunk. If it returns a promise, no more is to be given until that has resolved; it rejects when the file cannot be written. */
  push(chunk: Uint8Array): void | Promise<void>;
  /** Put the content in the file's place. When that fails, nothing is left of it. */
  commit(): Promise<void>;
  /** Leave the file alone, and nothing of the content. */
  discard(): Promise<void>;
}
