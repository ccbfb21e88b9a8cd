/** From what went wrong to what the person should do, and the exit code. @module */
import { TsinfraError } from "../core/errors.ts";
import { limitReached } from "../core/limits.ts";
import type { ErrorReport } from "../engine/events.ts";

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What an error means for the person at the keyboard. */
export interface Advice {
  readonly exitCode: ExitCode;
  /** Said when the error itself brings no hint. */
  readonly hint?: string;
}

/** By error code. */
export const ADVICE: Readonly<Record<string, Advice>> = {
  E_ARGUMENT: { exitCode: EXIT.usage, hint: "See tsinfra --help" },
  E_CANCELLED: { exitCode: EXIT.interrupted },
  E_GLOBAL_ARGUMENT: {
    exitCode: EXIT.failed,
    hint: "Global arguments start with an underscore, such as _sudo and _retries",
  },
  E_DEPLOY: { exitCode: EXIT.failed },
  E_DEPLOY_LOAD: { exitCode: EXIT.failed, hint: "tsinfra check FILE finds mistakes without connecting to anything" },
  E_INVENTORY: { exitCode: EXIT.failed },
  E_CONFIG: { exitCode: EXIT.failed },
  E_TEMPLATE: { exitCode: EXIT.failed },
  E_LOCAL_FILE: { exitCode: EXIT.failed, hint: "Relative paths start at the deploy file's directory" },
  E_CONNECTOR_DATA: { exitCode: EXIT.failed, hint: "tsinfra INVENTORY debug-inventory shows every host's data" },
  E_OPERATION: { exitCode: EXIT.failed },
  E_OPERATION_TYPE: {
    exitCode: EXIT.failed,
    hint: "tsinfra check FILE finds wrong arguments without connecting to anything",
  },
  E_OPERATION_VALUE: { exitCode: EXIT.failed },
  E_FACT: { exitCode: EXIT.failed, hint: "-vvv shows every command and its output" },
  E_CONNECT: { exitCode: EXIT.failed },
  E_HOST_KEY: { exitCode: EXIT.failed },
  E_CONNECTION_LOST: { exitCode: EXIT.failed },
  E_ESCALATION: { exitCode: EXIT.failed },
  E_TIMEOUT: { exitCode: EXIT.failed, hint: "_timeout is in seconds and counts for each command" },
  E_TOO_MANY_FAILURES: { exitCode: EXIT.failed },
  E_COMMAND: { exitCode: EXIT.failed },
  E_UNEXPECTED: { exitCode: EXIT.failed, hint: "This is a mistake in tsinfra: with TSINFRA_DEBUG=1 it says where" },
};

/** The advice for an error code. */
const adviceFor = (code: string): Advice => ADVICE[code] ?? { exitCode: EXIT.failed };

/** An error with its hint from the table. Anything that is no `TsinfraError` is a mistake of ours. */
export function describeError(error: unknown): {
  readonly report: ErrorReport;
  readonly exitCode: ExitCode;
  readonly stack?: string;
} {
  if (!(error instanceof TsinfraError)) {
    const denied = systemProblem(error);
    const limit = limitReached(error);
    if (limit)
      return {
        report: { code: "E_UNEXPECTED", message: `Cannot go on: ${limit.message}`, hint: limit.hint },
        exitCode: EXIT.failed,
      };
    if (denied !== undefined) return { report: { code: "E_LOCAL_FILE", message: denied }, exitCode: EXIT.failed };
    const { exitCode, hint } = adviceFor("E_UNEXPECTED");
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    return {
      report: { code: "E_UNEXPECTED", message, ...(hint ? { hint } : {}) },
      exitCode,
      ...(stack === undefined ? {} : { stack }),
    };
  }
  const { exitCode, hint: standard } = adviceFor(error.code);
  const hint = error.hint ?? standard;
  const where = error.host !== undefined && !error.message.includes(error.host) ? ` (host ${error.host})` : "";
  const report = {
    code: error.code,
    message: `${error.message}${where}`,
    ...(hint === undefined ? {} : { hint }),
    ...(error.at ? { at: error.at } : {}),
  };
  return { report, exitCode };
}

/** What this machine's file system refuses is nobody's mistake in the program: no place, no rights, no such directory. */
function systemProblem(error: unknown): string | undefined {
  const { code, syscall, path, message } = error as Partial<NodeJS.ErrnoException>;
  if (!(error instanceof Error) || code === undefined || syscall === undefined || path === undefined) return undefined;
  const reason = /^E\w+: (.*?), /.exec(message ?? "")?.[1] ?? "it is refused";
  return `Cannot ${syscall} ${JSON.stringify(path)}: ${reason} (${code})`;
}
