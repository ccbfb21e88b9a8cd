/** Everything a run says, as data. Views render it; nothing in the engine prints. @module */
import type { OutputStream } from "../core/connector.ts";
import type { CallSite } from "../core/errors.ts";

/** The stages of a run, in their order. */
export type Stage = "connect" | "prepare" | "execute" | "disconnect";

/** How an operation ended on one host. */
export type OutcomeType =
  /** Commands ran and all succeeded. */
  | "changed"
  /** Nothing needed doing, or its `_if` was false. */
  | "unchanged"
  /** Not for this host: not declared there, or a `_runOnce` is another host's, or another shard's. */
  | "skipped"
  | "failed"
  /** Failed under `_ignoreErrors`. */
  | "ignored"
  /** It was running when the run was interrupted. */
  | "interrupted";

/** An error as data: what `TsinfraError` carries. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at?: CallSite;
  /** The calls in the user's files that led to `at`, innermost first. */
  readonly callers?: readonly CallSite[];
  /** The `cause` of what the user's code threw, and its cause: the nearest few. */
  readonly causes?: readonly string[];
  /** Tail of the failed command's stderr, else of its stdout. */
  readonly output?: readonly string[];
}

/** One row of the proposed changes: hosts by name, in inventory order. */
export interface ProposedChange {
  readonly operation: string;
  readonly id: string;
  /** The same in every shard of an inventory; absent where there is one. */
  readonly key?: string;
  readonly at?: CallSite;
  /** Hosts where it would run commands. */
  readonly change: readonly string[];
  /** Hosts where it would, if its `_if` allows. */
  readonly conditional: readonly string[];
  readonly unchanged: readonly string[];
}

/** One row of the results: counts of hosts. */
export interface OperationSummary {
  readonly operation: string;
  readonly id: string;
  /** The same in every shard of an inventory; absent where there is one. */
  readonly key?: string;
  readonly hosts: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
  readonly ignored: number;
  readonly interrupted: number;
  /** Hosts that failed earlier, or were too late when the run was interrupted, and never came here. */
  readonly notReached: number;
  /** Hosts where it sent commands and did not succeed: what it changed there is not known. */
  readonly unfinished: number;
  readonly seconds: number;
}

/** What came of a host: counts of operations. */
export interface HostSummary {
  readonly host: string;
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly ignored: number;
  readonly interrupted: number;
  readonly notReached: number;
  /** Commands that `host.run` sent while preparing, which belong to no operation; absent where there were none. */
  readonly direct?: number;
  /** Why the host failed, if it did. */
  readonly error?: ErrorReport;
}

/** One thing that happened. */
export type EngineEvent =
  | { readonly type: "stage:start"; readonly stage: Stage; readonly hosts: number }
  | { readonly type: "stage:end"; readonly stage: Stage; readonly seconds: number }
  | { readonly type: "host:connecting"; readonly host: string }
  | { readonly type: "host:connected"; readonly host: string; readonly seconds: number }
  | { readonly type: "host:retry"; readonly host: string; readonly attempt: number; readonly error: ErrorReport }
  /** The host takes no further part in the run. */
  | { readonly type: "host:failed"; readonly host: string; readonly stage: Stage; readonly error: ErrorReport }
  /** The connection has ended, or is not to be made any more as the run was interrupted. */
  | { readonly type: "host:disconnected"; readonly host: string }
  /** A deploy file has been evaluated for a host. */
  | { readonly type: "deploy:ready"; readonly host: string; readonly file: string }
  | {
      readonly type: "fact:start";
      readonly host: string;
      readonly fact: string;
      readonly args: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: "fact:end";
      readonly host: string;
      readonly fact: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly seconds: number;
    }
  | {
      readonly type: "changes";
      readonly proposed: readonly ProposedChange[];
      /** Hosts on which `host.run` has run commands already; absent where there are none. */
      readonly direct?: readonly string[];
    }
  | {
      readonly type: "operation:start";
      readonly id: string;
      readonly operation: string;
      /** Hosts that will run it; none when it is to run once, and in another shard. */
      readonly hosts: readonly string[];
      readonly mode: "parallel" | "serial" | "run once";
      /** Inside a callback of this operation. */
      readonly nestedIn?: string;
    }
  | { readonly type: "operation:host:start"; readonly id: string; readonly operation: string; readonly host: string }
  | {
      readonly type: "operation:retry";
      readonly id: string;
      readonly operation: string;
      readonly host: string;
      readonly attempt: number;
      readonly retries: number;
      readonly delay: number;
      readonly error?: ErrorReport;
    }
  | {
      readonly type: "operation:host:end";
      readonly id: string;
      readonly operation: string;
      readonly host: string;
      readonly outcome: OutcomeType;
      /** Commands that succeeded, in all tries. */
      readonly commands: number;
      readonly retryAttempts: number;
      readonly seconds: number;
      /** Why nothing was done. */
      readonly noop?: string;
      readonly error?: ErrorReport;
      readonly nested: boolean;
      /** It sent commands and did not succeed: what it changed is not known. */
      readonly unfinished?: true;
      /** It was interrupted, and its command could not be ended. */
      readonly mayStillRun?: true;
      /** Operations that its callbacks declared and that did not run: they stand behind one that failed, or behind an interruption. */
      readonly notRun?: readonly string[];
    }
  | { readonly type: "operation:end"; readonly id: string; readonly operation: string; readonly seconds: number }
  /** A command is sent; secrets are masked. */
  | {
      readonly type: "command";
      readonly host: string;
      readonly command: string;
      readonly for: "fact" | "operation" | "direct";
    }
  /** A command of `host.run` has ended, or nobody waits for it any more. */
  | { readonly type: "command:end"; readonly host: string; readonly command: string; readonly for: "direct" }
  /** One line a command printed, or a part of one that is longer than 65,536 characters. */
  | {
      readonly type: "output";
      readonly host: string;
      readonly stream: OutputStream;
      readonly line: string;
      /** The line goes on in the next event of this host and stream. */
      readonly continues?: true;
      readonly for: "fact" | "operation" | "direct";
    }
  | { readonly type: "noop"; readonly host: string; readonly operation: string; readonly reason: string }
  | {
      readonly type: "transfer";
      readonly host: string;
      readonly direction: "upload" | "download";
      readonly path: string;
      readonly bytes: number;
      readonly total?: number;
    }
  /** A unified diff; emitted while preparing and while executing. */
  | {
      readonly type: "diff";
      readonly host: string;
      readonly path: string;
      readonly diff: string;
      readonly stage: Stage;
    }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly host?: string;
    }
  /** More hosts failed than `failPercent` allows: of what others would do, no further operation runs. Once; in a dry run too, behind `changes`. */
  | { readonly type: "run:stopped"; readonly error: ErrorReport }
  | {
      readonly type: "results";
      readonly operations: readonly OperationSummary[];
      readonly hosts: readonly HostSummary[];
      /** All stages up to here, connecting too; without the time that a question waited for its answer. */
      readonly seconds: number;
      /** False if any host failed, or the run was interrupted. */
      readonly ok: boolean;
    };

/** Takes events in the order they happen. Must not throw. */
export type Emit = (event: EngineEvent) => void;
