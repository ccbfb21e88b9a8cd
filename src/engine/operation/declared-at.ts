/** Where operations stand in the user's files: what makes one the same on every host, and orders them. @module */
import { type CallSite, TsinfraError } from "../../core/errors.ts";

/** What an operation's identity begins with. */
interface Surrounding {
  /** Identity of the enclosing includes and deploys. */
  readonly key: string;
  readonly position: readonly number[];
  /** The deploy file being evaluated. */
  readonly file: string | undefined;
}

/** The part of the stack inside the deploy file being evaluated; what called that file has its own place in the key. */
export function untilFile(sites: readonly CallSite[], file: string | undefined): readonly CallSite[] {
  const last = sites.findLastIndex(site => site.file === file);
  return last === -1 ? sites : sites.slice(0, last + 1);
}

/** What is declared in a block, a deploy or an included file is something else at each place from which that is called. */
export function calledFrom(
  { file, key, position }: Surrounding,
  what: string,
  sites: readonly CallSite[],
): Pick<Surrounding, "key" | "position"> {
  const inFile = untilFile(sites, file);
  return { key: `${key}>${what}@${chainOf(inFile)}`, position: [...position, ...placesOf(inFile)] };
}

/** In words, innermost first. */
export const chainOf = (sites: readonly CallSite[]): string =>
  sites.map(({ file, line, column }) => `${file}:${line}:${column}`).join("<");

/** Lines and columns, outermost first. */
export const placesOf = (sites: readonly CallSite[]): readonly number[] =>
  sites.toReversed().flatMap(({ line, column }) => [line, column]);

/** An included file is called by us: its errors do not know who included it, unless it was not found. */
export function includedFrom(error: unknown, site: CallSite): unknown {
  const isSite = ({ file, line }: CallSite): boolean => file === site.file && line === site.line;
  if (!(error instanceof TsinfraError)) addFrame(error, site);
  else if (error.at === undefined) error.at = site;
  else if (![error.at, ...error.callers].some(isSite)) error.callers = [...error.callers, site];
  return error;
}

function addFrame(error: unknown, { file, line, column }: CallSite): void {
  // Some errors cannot be changed.
  if (error instanceof Error) Reflect.set(error, "stack", `${error.stack}\n    at ${file}:${line}:${column}`);
}
