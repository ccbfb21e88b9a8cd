/** Where in the user's files something was called or went wrong. @module */
import { dirname, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { CallSite } from "../core/errors.ts";

/** Columns by which the first line of a wrapped deploy file was moved, by path. */
const firstLineShifts = new Map<string, number>();

/** Remember how far wrapping moved a file's first line. */
export function rememberShift(file: string, shift: number): void {
  firstLineShifts.set(file, shift);
}

/**
 * The user's files on the call stack, innermost first.
 * A function whose last act is the call (`return files.put(…)`) has left the stack by then: its caller is the innermost.
 */
export function callSites(): readonly CallSite[] {
  // Every frame costs a look into a source map, and below the user's frames there are only ours.
  const near = capture(NEAR_FRAMES);
  return near.isComplete ? near.sites : capture(STACK_LIMIT).sites;
}

function capture(limit: number): { readonly sites: readonly CallSite[]; readonly isComplete: boolean } {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  Error.stackTraceLimit = limit;
  Error.prepareStackTrace = (_, frames) => frames;
  Error.captureStackTrace(holder);
  const frames = holder.stack ?? [];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  const sites = frames.map(frame => toUserSite(frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()));
  const own = sites.filter(site => site !== undefined);
  return { sites: own, isComplete: frames.length < limit || (own.length > 0 && sites.at(-1) === undefined) };
}

/** The innermost place in the user's files where an error was made. */
export function locate(error: unknown): CallSite | undefined {
  if (!(error instanceof Error) || typeof error.stack !== "string") return undefined;
  for (const [, file, line, column] of error.stack.matchAll(STACK_FRAME)) {
    const site = toUserSite(file, Number(line), Number(column));
    if (site) return site;
  }
  return undefined;
}

/** A place as the user sees it: before wrapping moved the first line. */
export function unshifted({ file, line, column }: CallSite): CallSite {
  const shift = line === 1 ? (firstLineShifts.get(file) ?? 0) : 0;
  return { file, line, column: Math.max(1, column - shift) };
}

const NEAR_FRAMES = 6;
const STACK_LIMIT = 60;
const STACK_FRAME = /^\s*at (?:.*?\()?((?:file:\/\/)?\/[^():]*?):(\d+):(\d+)\)?$/gm;
/** Our own files: those beside this one, or inside the executable. */
const OWN_FILES = dirname(import.meta.dir);

function toUserSite(
  fileName: string | null | undefined,
  line: number | null | undefined,
  column: number | null | undefined,
): CallSite | undefined {
  if (!fileName || !line) return undefined;
  const file = fileName.startsWith("file://") ? fileURLToPath(fileName) : fileName;
  if (
    !isAbsolute(file) ||
    file.startsWith(`${OWN_FILES}/`) ||
    file.startsWith("/$bunfs/") ||
    /^[A-Z]:[\\/]~BUN/i.test(file)
  )
    return undefined;
  return unshifted({ file, line, column: column ?? 1 });
}
