/** What was thrown, as its reader should see it, and where in the user's files it was made. @module */
import { inspect } from "node:util";
import type { CallSite } from "./errors.ts";
import { kindOf } from "./kind.ts";

/** A thrown value that is no error: like JSON, on one line, cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === "function") return kindOf(value);
  const text = typeof value === "string" ? JSON.stringify(value) : inspected(value).replace(/\s*\n\s*/g, " ");
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}
const SHOWN = 200;

function inspected(value: unknown): string {
  try {
    return inspect(value, {
      breakLength: Number.POSITIVE_INFINITY,
      depth: 3,
      maxArrayLength: 20,
      maxStringLength: SHOWN,
    });
  } catch {
    // An object may refuse to be looked at.
    return `a value of type ${typeof value}`;
  }
}

/** The user's files on the stack on which an error was made, innermost first. */
export function sitesOf(error: unknown): readonly CallSite[] {
  if (!(error instanceof Error) || typeof error.stack !== "string") return [];
  return [...error.stack.matchAll(STACK_FRAME)].flatMap(
    ([, file, line, column]) => toUserSite(file, Number(line), Number(column)) ?? [],
  );
}
const STACK_FRAME = /^\s*at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/gm;

/** The innermost place in the user's files where an error was made. */
export const locate = (error: unknown): CallSite | undefined => sitesOf(error)[0];

/** A place on the stack; `undefined` if it is not in a file of the user's. */
export function toUserSite(
  fileName: string | null | undefined,
  line: number | null | undefined,
  column: number | null | undefined,
): CallSite | undefined {
  if (!fileName || !line) return undefined;
  const file = fileName.startsWith("file://") ? decodeURIComponent(new URL(fileName).pathname) : fileName;
  return /^(?:\/|[A-Z]:[\\/])/i.test(file) && !isOwnFile(file) ? { file, line, column: column ?? 1 } : undefined;
}

/** One of our own files: inside the executable, or of the sources that run. */
export const isOwnFile = (file: string): boolean =>
  file.startsWith(OWN_FILES) || file.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN/i.test(file);

/** The sources beside this one. */
const OWN_FILES = import.meta.dir.replace(/core$/, "");
