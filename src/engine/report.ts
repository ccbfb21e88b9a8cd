/** Errors as data for the event stream. @module */
import { type CallSite, CommandError, TsinfraError } from "../core/errors.ts";
import type { ErrorReport } from "./events.ts";

/** Lines of a failed command's output that a report carries. */
const TAIL = 10;

/** What a view needs to show an error. */
export function reportError(error: unknown): ErrorReport {
  if (!(error instanceof TsinfraError)) {
    return {
      code: "E_UNEXPECTED",
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
  }
  const output = error instanceof CommandError ? (tail(error.stderr) ?? tail(error.stdout)) : undefined;
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.at === undefined ? {} : { at: error.at }),
    ...(error.callers.length === 0 ? {} : { callers: error.callers }),
    ...(output === undefined ? {} : { output }),
  };
}

/** Where the user's code threw; the operation that it threw in is its outermost caller. */
export function thrownAt(
  sites: readonly CallSite[],
  operation: CallSite | undefined,
): { readonly at?: CallSite; readonly callers: readonly CallSite[] } {
  const isNamed = sites.some(({ file, line }) => file === operation?.file && line === operation.line);
  const [at, ...callers] = operation === undefined || isNamed ? sites : [...sites, operation];
  return { ...(at ? { at } : {}), callers };
}

function tail(output: string): readonly string[] | undefined {
  const lines = output.trimEnd().split("\n");
  return output.trim() === "" ? undefined : lines.slice(-TAIL);
}
