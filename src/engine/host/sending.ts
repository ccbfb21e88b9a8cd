/** The words of sending commands to a host: how they run, where they went, and what comes of them. @module */
import type { Shell } from "../../core/command.ts";
import type { Input, OutputStream, RunResult } from "../../core/connector.ts";
import type { TsinfraError } from "../../core/errors.ts";
import type { Surroundings } from "./escalation.ts";
import type { FramedShell } from "./framed-shell.ts";

/** How commands are run. */
export interface CommandOptions {
  readonly surroundings: Surroundings;
  readonly stdin?: Input;
  readonly pty?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
  /** Its turn has come: in a shell that stays, all before it have ended. */
  readonly onTurn?: () => void;
  /** Chunks as they arrive, and which of the commands they are of. No more is read until a promise that it returns has resolved. */
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array, index: number) => void | Promise<void>;
  /** It could not be ended when it was told to, and may still run on the host. */
  readonly onLeft?: () => void;
  /** Bytes that are kept of each output for the result, the last ones; default 8 MiB, `0`: nothing. */
  readonly keep?: number;
  /** The command is the engine's own and changes nothing of a shell but variables. */
  readonly isOurs?: boolean;
  /** In a channel of its own: for output that is long. */
  readonly alone?: boolean;
  /** A file of the user who is logged in that the command reads after its input, or writes its output to. */
  readonly staged?: { readonly input: string } | { readonly output: string };
}

/** Where a command runs: in a shell that stays, after so many others. */
export interface Slot {
  readonly shell: FramedShell;
  readonly index: number;
}

/** A command in `later` begins when the one in `earlier` has ended, whatever the host does. */
export const isBehind = (later: Slot | undefined, earlier: Slot | undefined): boolean =>
  later !== undefined && later.shell === earlier?.shell && later.index > earlier.index;

/** How one command ended. */
export interface Ran extends RunResult {
  /** False if the escalation refused before the command began. */
  readonly started: boolean;
  /** It was cut off: its exit code is not its own. */
  readonly trouble?: TsinfraError | undefined;
  /** Absent: in a channel of its own. */
  readonly slot?: Slot | undefined;
}

/** Commands on their way. */
export interface Sent {
  /** How those ended that ran, in order, up to the first whose exit code is no success. */
  readonly results: Promise<readonly Ran[]>;
  /** Where the last of them is to run; absent: not in a shell that stays. */
  readonly slot?: Slot | undefined;
  /** Sends what runs right behind them; absent where nothing can. */
  readonly behind?: Behind | undefined;
}

/** Sends commands behind others that have not ended. */
export interface Behind {
  /** They run if all sent before them succeeded, and the test `only` succeeds. `undefined`: the shell has ended. */
  send(commands: readonly Shell[], options: BehindOptions): SentBehind | undefined;
}

/** How commands run that are sent behind others. */
export interface BehindOptions {
  readonly surroundings: Surroundings;
  readonly successExitCodes: readonly number[];
  /** A shell test; what it prints is dropped. */
  readonly only?: Shell | undefined;
  readonly onOutput: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>;
}

/** Commands that were sent behind others. */
export interface SentBehind {
  /** How those ended that ran; none if they were not to run. Rejects when the connection is lost, or the signal is aborted. */
  results(signal: AbortSignal): Promise<readonly Ran[]>;
  /** Their turn has come: true if they run, false if they are skipped. Never rejects. */
  readonly turn: Promise<boolean>;
}

const ended = new WeakMap<readonly Shell[], readonly Ran[]>();

/** Remember which of the commands that were sent together had ended when an error came: one error, an interrupt, may come to many. */
export const endedBefore = (commands: readonly Shell[], ran: readonly Ran[]): void => void ended.set(commands, ran);

/** Those of the commands that had ended when an error came, in order. */
export const ranBefore = (commands: readonly Shell[]): readonly Ran[] => ended.get(commands) ?? [];
