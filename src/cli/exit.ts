/** From what went wrong to what is told of it, and the exit code. @module */
import { TsinfraError } from "../core/errors.ts";
import { limitReached } from "../core/limits.ts";
import type { ErrorReport } from "../engine/events.ts";
import { onMore, reportError, shownWhere } from "../engine/report.ts";

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
  // What cannot be changed does not say it itself.
  const { host = error.host, more = 0 } = shownWhere(error) ?? {};
  const where = host !== undefined && !isNamed(host, error.message) ? ` (host ${host})` : "";
  return { report: { ...report, message: `${report.message}${onMore(more)}${where}` }, exitCode };
}

/** A message speaks of a host, and has not its name by chance, as that of a host `db` in "no db password". */
function isNamed(host: string, message: string): boolean {
  const name = `${host.replace(/[^\w]/g, "\\$&")}(?![\\w.-])`;
  return new RegExp(`^${name}:|\\bhost "?${name}|\\b(?:ask|from|of|on|to) "?${name}"?(?! \\w)`, "i").test(message);
}

/** What this machine's file system refuses is nobody's mistake in the program: no place, no rights, no such directory. */
export function systemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof TsinfraError) return undefined;
  const { code, syscall, path, message } = error as Partial<NodeJS.ErrnoException>;
  if (code === undefined || syscall === undefined || path === undefined) return undefined;
  const reason = /^E\w+: (.*?), /.exec(message ?? "")?.[1] ?? "it is refused";
  return `Cannot ${syscall} ${JSON.stringify(path)}: ${reason} (${code})`;
}
