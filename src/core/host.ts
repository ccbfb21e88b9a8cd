/** What a host looks like to operations and to deploy files. @module */
import type { ConnectorArguments, GlobalArguments } from "./arguments.ts";
import type { Secret, Shell } from "./command.ts";
import type { Config } from "./config.ts";
import type { Fact, FactCallArguments } from "./fact.ts";
import type { HostData } from "./host-data.ts";

/** Something that can be asked for facts. */
export interface FactSource {
  /**
   * Ask a fact. Facts asked together travel together.
   * An answer is used again only while nothing has run since, on the host or (but for `--no-wait`) on any other, and for `config.factMaxAge` seconds; in a callback never.
   */
  getFact<A extends object, T>(fact: Fact<A, T>, ...args: FactCallArguments<A>): Promise<T>;
}

/** One machine of the inventory. */
export interface HostIdentity {
  /** Its name in the inventory: `web-1`, `@local`, `@docker/debian:12`. */
  readonly name: string;
  /** Names of the groups it is in; `all` is always among them. */
  readonly groups: readonly string[];
  readonly data: HostData;
}

/** What a file of the control machine is. */
export interface LocalFile {
  /** Absolute path. */
  readonly path: string;
  readonly type: "file" | "directory" | "link" | "other";
  /** Bytes. */
  readonly size: number;
  /** Four octal digits: `"0644"`. */
  readonly mode: string;
  readonly atime: Date;
  readonly mtime: Date;
  /** What a symbolic link points to, as it is written there. */
  readonly linkTarget?: string;
}

/** The control machine's files, read while an operation decides what to do. */
export interface LocalFiles {
  /** Absolute path of `path`, which may be relative to the deploy file's directory (`fromDeploy: false`: to the working directory). */
  resolve(path: string, options?: { readonly fromDeploy?: boolean }): string;
  /** What is at this absolute path, following a final link; `undefined` when nothing is. */
  stat(path: string): Promise<LocalFile | undefined>;
  read(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Hex digest, computed once per run and file. */
  checksum(path: string, algorithm: "md5" | "sha1" | "sha256" | "sha384"): Promise<string>;
  /** Names of what is in a directory, sorted. */
  list(path: string): Promise<readonly LocalFile[]>;
  /** Render a template file: Jinja2 text, or a `.ts` module whose default export takes the data. `undefined` data is an error with file and line. */
  render(
    path: string,
    data: Readonly<Record<string, unknown>>,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
}

/** The host that an operation is given: facts, and nothing that changes anything. */
export interface OperationHost extends HostIdentity, FactSource {
  /**
   * Tell which fact will probably be asked further on, before the first `await`: it then travels with the facts that are asked now.
   * Costs the host an answer that may not be needed; never fails.
   */
  anticipate<A extends object, T>(fact: Fact<A, T>, ...args: FactCallArguments<A>): void;
  /** Settings in force for this operation. */
  readonly config: Readonly<Config>;
  readonly local: LocalFiles;
  /** Say why nothing needs doing. The last reason given is the one shown. */
  noop(reason: string): void;
  warn(message: string): void;
  /** True when diffs are wanted: reading the old content from the host is worth it only then. */
  readonly wantsDiff: boolean;
  /** Show how a file changes; `undefined` stands for a file that is not there, a `Secret` is never shown. */
  showDiff(path: string, before: string | undefined, after: string | Secret | undefined): void;
  /** The host's directory for temporary files. */
  tempDir(): Promise<string>;
  /** A name nobody can guess in `directory` (default: `tempDir`), the same for the same key during a run. What is there is removed when the operation ends. */
  tempFile(key?: string, directory?: string): Promise<string>;
  /** Minute of the run's start, `yymmddHHMM`, for names of backups. */
  timestamp(): string;
}

/** What a command printed and how it ended. Of each output the last 8 MiB are kept. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutLines: readonly string[];
  readonly stderrLines: readonly string[];
  /** True if there was more output than is kept: what is here is its end, from a whole line on. */
  readonly isCut: boolean;
}

/** The host that a function running between commands is given (`ts.call`, `server.reboot`). */
export interface HostControl extends HostIdentity, FactSource {
  /** Run a command now, with the arguments in force where it is called. Throws `CommandError` when it fails. */
  run(command: Shell, args?: ConnectorArguments): Promise<CommandResult>;
  /** Drop the connection. */
  disconnect(): Promise<void>;
  /** Connect again, giving up after `timeout` seconds. Throws `ConnectError`. */
  connect(options?: { readonly timeout?: number }): Promise<void>;
  sleep(seconds: number): Promise<void>;
  /** Milliseconds on the control machine's clock, to measure how long something takes. */
  now(): number;
  log(message: unknown): void;
}

/** The `host` of a deploy file. */
export interface Host extends HostIdentity, FactSource {
  /** Declare the operations made inside `body` under a condition, asked when their turn comes. */
  when<R>(condition: () => boolean, body: () => R): R;
  /** Global arguments for the operations made inside `body`; what an operation says itself wins. */
  withArguments<R>(args: GlobalArguments, body: () => R): R;
  /**
   * Iterate, telling the rounds apart: what one host declares in a round is the same operation as what another host declares there in the same
   * round. In an ordinary loop it is the same as what another declares there as often: that differs where hosts leave some out.
   */
  loop<T>(items: Iterable<T>): Iterable<T>;
  /** Say something under this host's name. */
  log(message: unknown): void;
  noop(reason: string): void;
  /** Run a command on the host at once, outside any operation: in a deploy file that is while preparing, before anything is asked or shown, with `--dry` too. Throws `CommandError` when it fails. */
  run(command: Shell, args?: ConnectorArguments): Promise<CommandResult>;
}

/** What tells the hosts of a deploy file apart: types alone know it. */
declare const role: unique symbol;

/**
 * The host that a deploy file is being evaluated for, whichever that is: it is none of the inventory's own objects.
 * Compare names: `other.name === host.name`.
 */
export interface CurrentHost extends Host {
  readonly [role]: "current";
}

/** A host of the inventory. To tell whether it is the current one compare names: `other.name === host.name`. */
export interface InventoryHost extends Host {
  readonly [role]: "of the inventory";
}
