/** What went wrong, as the person at the keyboard should read it. @module */

/** A place in a user's file. Lines and columns count from 1. */
export interface CallSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where an error happened and what to do about it; every field is optional evidence. */
export interface ErrorDetails {
  readonly host?: string;
  /** Display name of the operation. */
  readonly operation?: string;
  readonly at?: CallSite;
  /** The calls in the user's files that led to `at`, innermost first. */
  readonly callers?: readonly CallSite[];
  /** One sentence: what the user can do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * Base of every error meant for the person at the keyboard.
 * `code` is stable and part of the API; the text is for people.
 */
export abstract class TsinfraError extends Error {
  abstract readonly code: string;
  host: string | undefined;
  operation: string | undefined;
  at: CallSite | undefined;
  callers: readonly CallSite[];
  hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.host = details.host;
    this.operation = details.operation;
    this.at = details.at;
    this.callers = details.callers ?? [];
    this.hint = details.hint;
  }

  override get name(): string {
    // A bundler numbers classes whose names stand twice in what it bundles.
    return this.constructor.name.replace(/\d+$/, "");
  }
}

/** Something the user wrote is wrong: nothing has run because of it. */
export abstract class UsageError extends TsinfraError {}

/** An operation cannot do what it was asked. */
export class OperationError extends TsinfraError {
  readonly code: string = "E_OPERATION";
}
/** What carries commands to a host and their output back does not: the host's fault, and not that of what was asked. */
export class CarrierError extends OperationError {}
/** An operation argument has a wrong type, or is unknown or missing. */
export class OperationTypeError extends OperationError {
  override readonly code: string = "E_OPERATION_TYPE";
}
/** An operation argument has a value that makes no sense, alone or beside another. */
export class OperationValueError extends OperationError {
  override readonly code: string = "E_OPERATION_VALUE";
}
/** A global argument (`_sudo`, `_retries` …) is unknown or has a wrong type. */
export class GlobalArgumentError extends UsageError {
  readonly code = "E_GLOBAL_ARGUMENT";
}
/** The password for sudo or su was refused. The host is not asked again: a second try could lock the account. */
export class EscalationError extends TsinfraError {
  readonly code = "E_ESCALATION";
}
/** A deploy file uses the deploy language in a way that cannot work. */
export class DeployError extends UsageError {
  readonly code = "E_DEPLOY";
}
/** Something that speaks of the current host is used where there is none. */
export class NoHostError extends DeployError {}
/** An operation that a callback declared failed; `cause` is why, and has been told with that operation. */
export class NestedOperationError extends DeployError {
  /** What failed in it beside the cause. */
  readonly others: readonly TsinfraError[];
  constructor(message: string, details: ErrorDetails & { readonly others?: readonly TsinfraError[] } = {}) {
    super(message, details);
    this.others = details.others ?? [];
  }
}
/** Code goes on that is left over of a file that has failed, or of a run that has ended; `cause` is that failure, and is told by itself. */
export class LeftOverError extends DeployError {}
/** A deploy file, or something it imports, cannot be loaded. */
export class DeployLoadError extends UsageError {
  readonly code = "E_DEPLOY_LOAD";
}
/** The inventory cannot be read or names something that does not exist. */
export class InventoryError extends UsageError {
  readonly code = "E_INVENTORY";
}
/** `infra.config.ts`, an environment variable or a flag holds an unusable setting. */
export class ConfigError extends UsageError {
  readonly code = "E_CONFIG";
}
/** A template cannot be rendered. */
export class TemplateError extends UsageError {
  readonly code = "E_TEMPLATE";
}
/** A file on the control machine is missing or is not what was expected. */
export class LocalFileError extends UsageError {
  readonly code = "E_LOCAL_FILE";
}
/** Host data holds something a connector cannot use. */
export class ConnectorDataError extends UsageError {
  readonly code = "E_CONNECTOR_DATA";
}

/** A fact could not be asked, or its answer could not be read. */
export class FactError extends TsinfraError {
  readonly code: string = "E_FACT";
}
/** A host cannot be reached, or does not let us in. */
export class ConnectError extends TsinfraError {
  readonly code: string = "E_CONNECT";
  /** False where trying again cannot help: a changed host key, a refused password. */
  readonly retryable: boolean;
  constructor(message: string, details: ErrorDetails & { readonly retryable?: boolean } = {}) {
    super(message, details);
    this.retryable = details.retryable ?? false;
  }
}
/** The key a host presents is not the one that is known. Never retried. */
export class HostKeyError extends ConnectError {
  override readonly code: string = "E_HOST_KEY";
}
/** A connection died while something was running on it. Never a success. */
export class ConnectionLostError extends TsinfraError {
  readonly code = "E_CONNECTION_LOST";
}
/** A command did not end within its `_timeout`. */
export class CommandTimeoutError extends TsinfraError {
  readonly code = "E_TIMEOUT";
  /** What it had printed by then. */
  stdout: string;
  stderr: string;
  /** It had printed more than is kept. */
  isCut: boolean;
  /** It could not be ended on the host: it is not tried again beside itself. */
  mayStillRun: boolean;
  constructor(
    message: string,
    details: ErrorDetails &
      Partial<Readonly<Pick<CommandTimeoutError, "stdout" | "stderr" | "isCut" | "mayStillRun">>> = {},
  ) {
    super(message, details);
    this.stdout = details.stdout ?? "";
    this.stderr = details.stderr ?? "";
    this.isCut = details.isCut ?? false;
    this.mayStillRun = details.mayStillRun ?? false;
  }
}
/** The user interrupted the run. */
export class CancelledError extends TsinfraError {
  readonly code = "E_CANCELLED";
}
/** More hosts failed than `failPercent` allows, or none is left. */
export class TooManyFailuresError extends TsinfraError {
  readonly code = "E_TOO_MANY_FAILURES";
}

/** A command ended with an exit code that does not count as success. */
export class CommandError extends TsinfraError {
  readonly code = "E_COMMAND";
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  constructor(
    message: string,
    details: ErrorDetails & { readonly exitCode: number; readonly stdout: string; readonly stderr: string },
  ) {
    super(message, details);
    this.exitCode = details.exitCode;
    this.stdout = details.stdout;
    this.stderr = details.stderr;
  }
}
