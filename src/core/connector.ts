/** How bytes reach a host. @module */
import type { Secret, Shell } from "./command.ts";

/** What a connector can do; the engine asks this and never which connector it is. */
export interface Capabilities {
  /** Give a command a pseudo-terminal. */
  readonly pty: boolean;
  /** Copy directories with rsync. */
  readonly rsync: boolean;
  /** Go through another connection, as the second part of a chain such as `@ssh/bastion/@docker/app`; default false. */
  readonly through?: boolean;
}

/** A host data key that a connector reads. */
export interface DataKey {
  readonly type: "string" | "number" | "boolean" | "secret" | "strings";
  /** For the docs; absent when there is none. */
  readonly default?: string | number | boolean;
  readonly description: string;
}

/** A host as an inventory connector finds it. */
export interface FoundHost {
  readonly name: string;
  /** How it is reached, where its name does not say: `@docker/app`, `@ssh/192.0.2.1`. */
  readonly at?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly groups: readonly string[];
}

/** What a connector may use while it works; nothing else of the control machine's terminal or clock. */
export interface ConnectorContext {
  /** Ask the person at the terminal; `undefined` when there is none. One question is asked once, however many hosts wait for it. */
  ask(question: Question): Promise<Secret | undefined>;
  warn(message: string): void;
  /** Say what became of something that outlives the run. */
  inform(message: string): void;
  /** Directory that relative paths in host data start from. */
  readonly cwd: string;
}

/** What a connector wants to know from the person at the terminal. */
export interface Question {
  /** Hosts with the same key share one answer. */
  readonly key: string;
  readonly text: string;
  /** `secret` hides what is typed; `confirm` takes yes or no and answers `yes` or nothing. */
  readonly kind: "secret" | "confirm";
}

/** The host to connect to. */
export interface Target {
  /** Name in the inventory. */
  readonly name: string;
  /** What follows the connector's name: `debian:12` of `@docker/debian:12`, `web-1` of `web-1`. */
  readonly address: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The connection that this one goes through, in a chain such as `@ssh/bastion/@docker/app`; absent: the control machine. Who opened it closes it. */
  readonly through?: Connection;
  /** Seconds until connecting fails. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** What a connector tells about a host, by what it is: `{ user: "ada", userFrom: "~/.ssh/config:3" }`. */
export interface Explanation {
  readonly [what: string]:
    string | number | boolean | readonly string[] | Explanation | readonly Explanation[] | undefined;
}

/** One way to reach hosts. One object serves a whole run, so that what hosts share is read once. */
export interface Connector {
  /** `ssh` of `@ssh/web-1`. */
  readonly name: string;
  readonly summary: string;
  readonly can: Capabilities;
  readonly dataKeys: Readonly<Record<string, DataKey>>;
  /** Inventory connectors: the hosts behind an address. Absent: the address is one host. */
  hosts?(address: string, context: ConnectorContext): Promise<readonly FoundHost[]>;
  /** Absent in connectors that only bring inventory. Throws `ConnectError`. */
  connect?(target: Target, context: ConnectorContext): Promise<Connection>;
  /** Told before the first of so many hosts is connected to. Throws `ConnectError` where this machine cannot hold that many connections. */
  expect?(hosts: number): void;
  /** Tell how a host would be reached, and try. Absent where there is little to tell. Throws `ConnectError` for what cannot even be worked out. */
  explain?(target: Target, context: ConnectorContext): Promise<Explanation>;
  /** End what the run's connections shared. */
  close?(): Promise<void>;
}

/** Which of a command's two outputs. */
export type OutputStream = "stdout" | "stderr";
/** What a command reads from its standard input. */
export type Input = Uint8Array | AsyncIterable<Uint8Array>;

/** How one command is run. */
export interface RunOptions {
  /** Sent to stdin, which is then closed. Absent: stdin is empty. */
  readonly stdin?: Input;
  /** A pseudo-terminal, where `can.pty`; stderr then arrives as stdout. */
  readonly pty?: boolean;
  /**
   * Every chunk as it arrives, good for the call alone: who keeps it copies it. While a promise that it returned is pending the
   * command's output is left where it is, except on a terminal of this machine; one that rejects ends the command, as does an exception.
   */
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>;
  /** Keep output for the result, the last 64 MiB of each stream; default true. */
  readonly capture?: boolean;
  /** Aborting ends the command as far as the connection can, and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** For a command that runs until it is told to end: another one waits for the session that it holds. */
  readonly onWanted?: () => void;
}

/** How a command ended. */
export interface RunResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** There was more output than is kept: what is here is its end. */
  readonly isCut?: boolean;
}

/** A file on the host that nobody else may read, which takes over a part of another file's way. Disposing removes it; so does the end of the connection. */
export interface StagedFile extends AsyncDisposable {
  /** As the host's shell knows it. */
  readonly path: string;
  write(content: Input): Promise<void>;
  /** No more is read until a promise that `onBlock` returns has resolved. */
  read(onBlock: (block: Uint8Array) => void | Promise<void>): Promise<void>;
}

/** An open connection to one host. */
export interface Connection {
  /** What carries commands, for messages; default: the login shell. */
  readonly way?: string;
  /**
   * Run one shell line, as the host's login shell would.
   * Any exit code is a result, and is the line's own, whatever carries it; rejects with `ConnectionLostError` when none arrived,
   * and with `OperationError` when it was cut off, or its output was changed on the way.
   * Several may run at once; the connection queues what it cannot run in parallel.
   */
  run(command: Shell, options?: RunOptions): Promise<RunResult>;
  /** Copy a directory with rsync, where `can.rsync`. */
  rsync?(src: string, dest: string, flags: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Make a file for content that is not to travel as a command's input or output; absent where all does. Everything done with it ends with `signal`. */
  stage?(signal: AbortSignal): Promise<StagedFile>;
  /** It is known to be gone: nothing that is sent over it would run, and another one is made. Default: it is not. */
  isLost?(): boolean;
  /** Never rejects. That of a connector of one's own is left after five seconds. */
  close(): Promise<void>;
}
