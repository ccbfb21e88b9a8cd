/** From what went wrong to what is told of it, and the exit code. @module */
import { TsinfraError } from "../core/errors.ts";
import { limitReached } from "../core/limits.ts";
import type { ErrorReport } from "../engine/events.ts";
import { reportError } from "../engine/report.ts";

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** By error code; everything else is `EXIT.failed`. */
const EXIT_CODES: Readonly<Record<string, ExitCode>> = { E_ARGUMENT: EXIT.usage, E_CANCELLED: EXIT.interrupted };

/** An error that ends a command, as it is told, and the exit code. The stack of a mistake of ours is kept apart. */
export function describeError(error: unknown): {
  readonly report: ErrorReport;
  readonly exitCode: ExitCode;
  readonly stack?: string;
} {
  const limit = limitReached(error);
  if (limit && !(error instanceof TsinfraError))
    return {
      report: { code: "E_UNEXPECTED", message: `Cannot go on: ${limit.message}`, hint: limit.hint },
      exitCode: EXIT.failed,
    };
  const denied = systemProblem(error);
  if (denied !== undefined) return { report: { code: "E_LOCAL_FILE", message: denied }, exitCode: EXIT.failed };
  const report = reportError(error);
  const exitCode = EXIT_CODES[report.code] ?? EXIT.failed;
  if (!(error instanceof TsinfraError))
    return { report, exitCode, ...(error instanceof Error && error.stack ? { stack: error.stack } : {}) };
  const where = error.host !== undefined && !error.message.includes(error.host) ? ` (host ${error.host})` : "";
  return { report: { ...report, message: `${report.message}${where}` }, exitCode };
}

/** What this machine's file system refuses is nobody's mistake in the program: no place, no rights, no such directory. */
export function systemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof TsinfraError) return undefined;
  const { code, syscall, path, message } = error as Partial<NodeJS.ErrnoException>;
  if (code === undefined || syscall === undefined || path === undefined) return undefined;
  const reason = /^E\w+: (.*?), /.exec(message ?? "")?.[1] ?? "it is refused";
  return `Cannot ${syscall} ${JSON.stringify(path)}: ${reason} (${code})`;
}
