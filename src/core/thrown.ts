/** What was thrown, as its reader should see it, and where in the user's files it was made. @module */
import { inspect } from "node:util";
import { type CallSite, TsinfraError } from "./errors.ts";
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

/** From a place in what the engine runs to where that was written; `undefined` where nobody wrote it. */
type ToWritten = (ran: CallSite) => CallSite | undefined;
/** What is known of a file of which something else is run. */
interface Served {
  readonly toWritten: ToWritten;
  /** Where in the file the mistake is of which the runtime says this, where it does not tell its place. */
  mistake(message: string): CallSite | undefined;
}
const served = new Map<string, Served>();

/** Remember how places in a file are found where the runtime tells those in what was made of it. */
export const rememberServed = (file: string, known: Served): void => void served.set(file, known);

/** Where in a file the mistake is of which the runtime says this; `undefined` where its own place is as good. */
export const mistakeAt = (file: string | undefined, message: string): CallSite | undefined =>
  file === undefined ? undefined : served.get(file)?.mistake(message);

/** Where in a file it was written what stands there in what was made of the file. */
export const writtenAt = (ran: CallSite): CallSite | undefined => served.get(ran.file)?.toWritten(ran);

/** The user's files on the stack on which an error was made, innermost first; what was made of other errors, as by `Promise.any`, has theirs. */
export function sitesOf(error: unknown): readonly CallSite[] {
  const own = ownSites(error);
  return own.length > 0
    ? own
    : (membersOf(error)
        .map(ownSites)
        .find(sites => sites.length > 0) ?? []);
}

function ownSites(error: unknown): readonly CallSite[] {
  if (!(error instanceof Error)) return [];
  if (error instanceof TsinfraError && error.at) return [error.at, ...error.callers];
  const sites = framesOf(error).flatMap(({ site }) => site ?? []);
  if (sites.length > 0) return sites;
  // Somebody has replaced the stack: where the error was made is kept beside it.
  const told = toUserSite(textIn(error, "sourceURL"), numberIn(error, "line"), numberIn(error, "column"));
  const cause = valueIn(error, "cause");
  return [
    (told && !Object.hasOwn(error, "originalLine") ? writtenAt(told) : told) ??
      asked.get(error) ??
      (cause instanceof DOMException ? asked.get(cause) : undefined) ??
      [],
  ].flat();
}

/** Where that was asked for which the runtime made an error of without a stack, such as a time limit. */
const asked = new WeakMap<Error, CallSite>();
/** Say where an error was asked for that has no stack. */
export const rememberAsked = (error: Error, at: CallSite): void => void asked.set(error, at);

/** Only our own code stands on the stack of an error. */
export function isOurMistake(error: unknown): boolean {
  const frames = error instanceof Error ? framesOf(error) : [];
  return frames.some(({ isFile }) => isFile) && frames.every(({ isOurs }) => isOurs);
}

interface Frame {
  /** It is not of the runtime's own. */
  readonly isFile: boolean;
  readonly isOurs: boolean;
  /** In a file of the user's. */
  readonly site: CallSite | undefined;
}

function framesOf(error: Error): readonly Frame[] {
  // The runtime tells places in what it runs for these.
  const isRan = error instanceof DOMException;
  const lines = (textIn(error, "stack") ?? "").split("\n");
  const isEvaluated = evaluated(lines.map(line => STACK_FRAME.exec(line)?.groups?.["path"] ?? ""));
  return lines.flatMap((line, index) => {
    if (isEvaluated(index)) return [];
    const told = STACK_FRAME.exec(line)?.groups;
    const { path, other, line: row, column } = told ?? ((isRan && RAN_FRAME.exec(line)?.groups) || {});
    const file = path ?? other;
    if (file === undefined) return [];
    const site = toUserSite(file, Number(row), Number(column));
    const isFile = !/^(?:node|native|bun|internal)(?::|$)/.test(file);
    return [{ isFile, isOurs: site === undefined, site: told || !site ? site : writtenAt(site) }];
  });
}
/**
 * Whether a frame is of text that was evaluated, as by `eval`: its file is that of who did so, as a URL, but its lines are those of the text.
 * Asked by the number of the frame; where nobody else's file is known, that is better than none.
 */
export function evaluated(files: readonly string[]): (frame: number) => boolean {
  const isUrl = (file: string): boolean => file.startsWith("file://");
  const written = new Set(files.filter(file => !isUrl(file)));
  return frame => {
    const file = files[frame] ?? "";
    return isUrl(file) && written.has(pathOf(file));
  };
}

/** The path of a file that may be told as a URL. */
const pathOf = (file: string): string =>
  file.startsWith("file://") ? decodeURIComponent(new URL(file).pathname) : file;

const STACK_FRAME =
  /^\s*at (?:(?:.*? \()?(?<path>(?:file:\/\/)?\/.*?)|(?:.*? \()?(?<other>\S+?)):(?<line>\d+):(?<column>\d+)\)?$/;
const RAN_FRAME = /^[^@]*@(?:(?<path>(?:file:\/\/)?\/.*)|(?<other>\S+)):(?<line>\d+):(?<column>\d+)$/;

/** The innermost place in the user's files where an error was made. */
export const locate = (error: unknown): CallSite | undefined => sitesOf(error)[0];

/** What an error says of itself: its name and its message, whatever anybody has made of them. */
export function errorText(error: Error): string {
  const name = textIn(error, "name") || "Error";
  const message = textIn(error, "message")?.trim() ?? "";
  if (message !== "") return `${name}: ${message}`;
  // That of `Promise.any` has no words.
  const { length } = membersOf(error);
  return length === 0 ? name : `${name} of ${length} ${length === 1 ? "error" : "errors"}`;
}

/** Anything that was thrown, in words. */
export const thrownText = (thrown: unknown): string => (thrown instanceof Error ? errorText(thrown) : shown(thrown));

/** What an error says it comes from: the errors that it was made of, and its cause. */
export function originsOf(error: unknown): readonly unknown[] {
  if (!(error instanceof Error)) return [];
  const cause = valueIn(error, "cause");
  return [...membersOf(error), ...(cause === undefined ? [] : [cause])];
}

/** The errors that an error was made of. */
export function membersOf(error: unknown): readonly unknown[] {
  const members = error instanceof AggregateError ? valueIn(error, "errors") : undefined;
  return Array.isArray(members) ? members : [];
}

/** What a property holds, also where it may be a getter that throws. */
function valueIn(error: Error, name: string): unknown {
  try {
    return Reflect.get(error, name);
  } catch {
    return undefined;
  }
}
function textIn(error: Error, name: string): string | undefined {
  const value = valueIn(error, name);
  return typeof value === "string" ? value : undefined;
}
function numberIn(error: Error, name: string): number | undefined {
  const value = valueIn(error, name);
  return typeof value === "number" ? value : undefined;
}

/** A place on the stack; `undefined` if it is not in a file of the user's. */
export function toUserSite(
  fileName: string | null | undefined,
  line: number | null | undefined,
  column: number | null | undefined,
): CallSite | undefined {
  if (!fileName || !line) return undefined;
  const file = pathOf(fileName);
  return /^(?:\/|[A-Z]:[\\/])/i.test(file) && !isOwnFile(file) ? { file, line, column: column ?? 1 } : undefined;
}

/** One of our own files: inside the executable, or of the sources that run. */
export const isOwnFile = (file: string): boolean =>
  file.startsWith(OWN_FILES) || file.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN/i.test(file);

/** The sources beside this one. */
const OWN_FILES = import.meta.dir.replace(/core$/, "");
