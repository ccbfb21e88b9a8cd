/** Errors as data for the event stream. @module */
import {
  type CallSite,
  CommandError,
  CommandTimeoutError,
  NestedOperationError,
  TsinfraError,
} from "../core/errors.ts";
import { hintFor } from "../core/hints.ts";
import { originsOf, thrownText } from "../core/thrown.ts";
import type { ErrorReport } from "./events.ts";

/** What somebody's code threw, in words: `The fact x.Y threw TypeError: …`. */
export const threw = (what: string, thrown: unknown): string => `${what} threw ${thrownText(thrown)}`;

/** On which hosts it showed what a deploy threw. */
export interface Shown {
  /** The first of them. */
  readonly host: string;
  /** How many others there are. */
  readonly more: number;
}
/** Beside the error: it is the user's own, who may have frozen it. */
const shownOn = new WeakMap<Error, Shown>();
export const rememberShown = (error: Error, shown: Shown): void => void shownOn.set(error, shown);
/** `undefined` where that is every host, or the error says it itself. */
export const shownWhere = (error: Error): Shown | undefined => shownOn.get(error);

export const onMore = (hosts: number): string =>
  hosts === 0 ? "" : ` (and on ${hosts} more ${hosts === 1 ? "host" : "hosts"})`;

/** Lines of a failed command's output that a report carries. */
const TAIL = 10;

/** What a view needs to show an error: the one way from an error to a report. Anything that is no `TsinfraError` is a mistake of ours. */
export function reportError(error: unknown): ErrorReport {
  const isOurs = error instanceof TsinfraError;
  const code = isOurs ? error.code : "E_UNEXPECTED";
  const hint = (isOurs ? error.hint : undefined) ?? hintFor(code);
  const isToldAlready = error instanceof NestedOperationError;
  const causes = isOurs && error.cause instanceof Error && !isToldAlready ? causesOf(error.cause) : [];
  const output = error instanceof CommandError || error instanceof CommandTimeoutError ? evidence(error) : undefined;
  return {
    code,
    message: isOurs ? error.message : thrownText(error),
    ...(hint === undefined ? {} : { hint }),
    ...(isOurs && error.at !== undefined ? { at: error.at } : {}),
    ...(isOurs && error.callers.length > 0 ? { callers: error.callers } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    ...(output === undefined ? {} : { output }),
  };
}

/** What an error that somebody's code threw says it comes from, nearest first: of what has no end, the beginning. */
function causesOf(thrown: Error): readonly string[] {
  const causes = [...origins(thrown, DEPTH).take(CAUSES + 1)];
  return causes.length > CAUSES ? [...causes.slice(0, CAUSES), "more"] : causes;
}
const CAUSES = 12;

function* origins(thrown: unknown, depth: number): Generator<string, void> {
  if (depth === 0) return;
  for (const origin of originsOf(thrown)) {
    yield origin instanceof TsinfraError ? origin.message : thrownText(origin);
    yield* origins(origin, depth - 1);
  }
}
const DEPTH = 4;

/** What the command printed last, but for what the message has said. */
function evidence({ message, stderr, stdout }: CommandError | CommandTimeoutError): readonly string[] | undefined {
  const lines = tail(stderr) ?? tail(stdout) ?? [];
  const rest = message.endsWith(`: ${lines.at(-1)?.trim()}`) ? lines.slice(0, -1) : lines;
  return rest.length === 0 ? undefined : rest;
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
