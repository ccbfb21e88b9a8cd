/** Global arguments: what every operation takes beside its own, each starting with an underscore. @module */
import type { Secret } from "./command.ts";

/** A question answered just before an operation runs; `anyChanged(a, b)` and a handle's `didChange` are such. */
export type Condition = () => boolean;

/** What `_retryUntil` is shown after an attempt that succeeded. */
export interface RetryReport {
  readonly stdoutLines: readonly string[];
  readonly stderrLines: readonly string[];
  /** True if a command printed more than the last 8 MiB of each output, which are kept. */
  readonly isCut: boolean;
  /** The attempt's commands as printed, secrets masked. */
  readonly commands: readonly string[];
  readonly executedCommands: number;
  readonly host: string;
  readonly operation: string;
}

/** Who runs a command, and in which surroundings. Facts take these too. */
export interface ConnectorArguments {
  /** Run through `sudo`. */
  readonly _sudo?: boolean;
  /** The user to become with `sudo -u`; default: root. Only with `_sudo`. */
  readonly _sudoUser?: string;
  /** Password for `sudo`. Asked once, when sudo wants one and none is given. */
  readonly _sudoPassword?: string | Secret;
  /** Start a login shell (`sudo -i`). */
  readonly _useSudoLogin?: boolean;
  /** Keep the environment (`sudo -E`). */
  readonly _preserveSudoEnv?: boolean;
  /** Run as this user through `su`, inside any sudo or doas. */
  readonly _suUser?: string;
  /** Password for `su`. */
  readonly _suPassword?: string | Secret;
  /** Start a login shell (`su -l`). */
  readonly _useSuLogin?: boolean;
  /** Keep the environment (`su -m`). */
  readonly _preserveSuEnv?: boolean;
  /** Shell that `su` starts (`su -s`), by name or path. */
  readonly _suShell?: string;
  /** Run through `doas`. */
  readonly _doas?: boolean;
  /** The user to become with `doas -u`. Only with `_doas`. */
  readonly _doasUser?: string;
  /** Run through `dzdo`. */
  readonly _dzdo?: boolean;
  /** The user to become with `dzdo -u`. Only with `_dzdo`. */
  readonly _dzdoUser?: string;
  /** Shell that runs the command; default `sh`. `false` runs it without one. */
  readonly _shellExecutable?: string | false;
  /** Directory to run in. */
  readonly _chdir?: string;
  /** Environment variables, merged over `config.env`. */
  readonly _env?: Readonly<Record<string, string | number | Secret>>;
  /** Exit codes that count as success, `-1` for a connection that is lost with the command; default `[0]`. */
  readonly _successExitCodes?: readonly number[];
  /** Seconds that each command may take, each copying of a file, and each question; `0`: no limit, as by default, but for questions `config.factTimeout`. */
  readonly _timeout?: number;
  /** Give the command a pseudo-terminal. Its stderr then arrives as stdout. */
  readonly _getPty?: boolean;
  /** What each command reads from standard input; a list is sent line by line. */
  readonly _stdin?: string | readonly string[] | Uint8Array | Secret;
  /** The host's directory for temporary files; default `config.tempDir`, else the host's own. */
  readonly _tempDir?: string;
}

/** What every operation takes beside its own arguments. */
export interface GlobalArguments extends ConnectorArguments {
  /** What the operation is called in the output; default: its name and arguments. */
  readonly name?: string;
  /** A failure is reported, but fails neither the host nor the run. */
  readonly _ignoreErrors?: boolean;
  /** After a command that failed, still run the operation's other commands; not after one that took the connection with it. */
  readonly _continueOnError?: boolean;
  /** Run only if this is true (a list: if all are) when its turn comes. */
  readonly _if?: Condition | readonly Condition[];
  /** At most this many hosts of the run at once; `0` means all. Other shards do not count, and with `--no-wait` this does not. */
  readonly _parallel?: number;
  /** Only the first host of those that take part and have this operation runs it; the others skip it. With `--no-wait`: the first that gets there. With `--shard`: only in the shard that has the inventory's first host. */
  readonly _runOnce?: boolean;
  /** One host of the run after the other. Other shards do not wait, and with `--no-wait` nobody does. */
  readonly _serial?: boolean;
  /** How many more times to try after a failure; default 0. Not after a refused password, nor while a command that could not be ended in time may still run. */
  readonly _retries?: number;
  /** Seconds between attempts; default 5. */
  readonly _retryDelay?: number;
  /** Asked after an attempt that succeeded: `true` tries again, while retries are left. The operation ends as its last attempt did, whatever would be asked of it. */
  readonly _retryUntil?: (report: RetryReport) => boolean;
}

type Kind =
  | "boolean"
  | "string"
  | "secret"
  | "count"
  | "seconds"
  | "condition"
  | "function"
  | "env"
  | "exit codes"
  | "input"
  | "shell";
/** How one global argument is checked, and which `config` setting is its default. */
export interface GlobalArgument {
  readonly kind: Kind;
  readonly config?: string;
  /** Also taken by facts. */
  readonly fact: boolean;
}

const connector = (kind: Kind, config?: string): GlobalArgument => ({
  kind,
  fact: true,
  ...(config ? { config } : {}),
});
const meta = (kind: Kind, config?: string): GlobalArgument => ({ kind, fact: false, ...(config ? { config } : {}) });

/** Every global argument. Facts take the connector ones and `_ignoreErrors`. */
export const GLOBAL_ARGUMENTS: Readonly<Record<keyof GlobalArguments, GlobalArgument>> = {
  _sudo: connector("boolean", "sudo"),
  _sudoUser: connector("string", "sudoUser"),
  _sudoPassword: connector("secret", "sudoPassword"),
  _useSudoLogin: connector("boolean", "useSudoLogin"),
  _preserveSudoEnv: connector("boolean", "preserveSudoEnv"),
  _suUser: connector("string", "suUser"),
  _suPassword: connector("secret", "suPassword"),
  _useSuLogin: connector("boolean", "useSuLogin"),
  _preserveSuEnv: connector("boolean", "preserveSuEnv"),
  _suShell: connector("string", "suShell"),
  _doas: connector("boolean", "doas"),
  _doasUser: connector("string", "doasUser"),
  _dzdo: connector("boolean", "dzdo"),
  _dzdoUser: connector("string", "dzdoUser"),
  _shellExecutable: connector("shell", "shell"),
  _chdir: connector("string"),
  _env: connector("env", "env"),
  _successExitCodes: connector("exit codes"),
  _timeout: connector("seconds"),
  _getPty: connector("boolean"),
  _stdin: connector("input"),
  _tempDir: connector("string", "tempDir"),
  name: meta("string"),
  _ignoreErrors: { kind: "boolean", config: "ignoreErrors", fact: true },
  _continueOnError: meta("boolean"),
  _if: meta("condition"),
  _parallel: meta("count"),
  _runOnce: meta("boolean"),
  _serial: meta("boolean"),
  _retries: meta("count", "retry"),
  _retryDelay: meta("seconds", "retryDelay"),
  _retryUntil: meta("function"),
};

/** What a fact takes beside its own arguments. */
export type FactArguments = ConnectorArguments & Pick<GlobalArguments, "_ignoreErrors">;
