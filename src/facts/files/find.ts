/** Finding paths below a directory. @module */
import { raw, quote, remotePath, sh, type Word } from "../../core/command.ts";
import { FactError } from "../../core/errors.ts";
import { type CommandFact, fact } from "../../core/fact.ts";

/** What facts that look for paths take. */
export interface FindArguments {
  /** Where to start. */
  readonly path: string;
  /** Exactly this size: bytes, or text such as `"10MB"` (10,000,000) or `"4KiB"` (4,096). */
  readonly size?: string | number;
  /** Larger than this. */
  readonly minSize?: string | number;
  /** Smaller than this. */
  readonly maxSize?: string | number;
  /** How many directories deep; 1 is what lies in `path` itself. */
  readonly maxDepth?: number;
  /** Pattern for the last part of the path, with `*`, `?` and `[…]`. */
  readonly fName?: string;
  /** The same, in capitals or not. */
  readonly iName?: string;
  /** Regular expression for the whole path. */
  readonly regex?: string;
  /** Further words for `find`, each taken as it is. */
  readonly args?: readonly string[];
  /** `false` lets the host's shell expand `*`, `?` and `[…]` in `path`; default true. */
  readonly quotePath?: boolean;
}

/** Paths of regular files below a directory. A name with a newline in it is read as two. */
export const FindFiles = findFact("files.FindFiles", "f");
/** Paths of symbolic links below a directory. */
export const FindLinks = findFact("files.FindLinks", "l");
/** Paths of directories below a directory, itself included. */
export const FindDirectories = findFact("files.FindDirectories", "d");

function findFact(name: string, type: "f" | "l" | "d"): CommandFact<FindArguments, readonly string[]> {
  return fact<FindArguments, readonly string[]>({
    name,
    command({ path, size, minSize, maxSize, maxDepth, fName, iName, regex, args = [], quotePath = true }) {
      const tests: readonly Word[] = [
        option("-size", minSize, value => `+${bytes("minSize", value)}c`),
        option("-size", maxSize, value => `-${bytes("maxSize", value)}c`),
        option("-size", size, value => `${bytes("size", value)}c`),
        option("-maxdepth", maxDepth, String),
        option("-name", fName, String),
        option("-iname", iName, String),
        option("-regex", regex, String),
      ].flat();
      return sh`find ${[quotePath ? remotePath(path) : globbed(path), "-type", type, ...tests, ...args]} || true`;
    },
    parse: lines => lines,
    empty: [],
  });
}

const option = <T>(name: string, value: T | undefined, text: (value: T) => string): readonly Word[] =>
  value === undefined ? [] : [name, text(value)];

/** `find` rounds every unit but bytes up, so sizes are given in bytes. */
function bytes(argument: string, size: string | number): number {
  const [, digits, unit = "", binary] = /^\s*(\d+(?:\.\d+)?)\s*([KMGTP]?)(i?)B?\s*$/i.exec(String(size)) ?? [];
  if (digits === undefined)
    throw new FactError(
      `\`${argument}\` is not a size: ${JSON.stringify(String(size))}. Wanted is a number of bytes, or one with a unit such as 10MB or 4KiB`,
    );
  return Math.round(Number(digits) * (binary ? 1024 : 1000) ** " KMGTP".indexOf(unit.toUpperCase() || " "));
}

/** A path whose wildcards the shell expands; everything else in it is quoted. */
function globbed(path: string): Word {
  const parts = path.replace(/^[-!(]/, "./$&").split(/([*?[\]]+|^~\/)/);
  return raw(parts.map((part, at) => (at % 2 === 1 ? part : part && quote(part))).join(""));
}
