/** Reading what `stat` and `ls -ld` say about a path. @module */

/** Nothing is there. */
export interface Absent {
  readonly type: "absent";
}

/** Something is there. */
export interface PathStat {
  readonly type: "file" | "directory" | "link" | "socket" | "block" | "character" | "fifo";
  /** Owner's name; `UNKNOWN` when the host has no name for its number. */
  readonly user: string;
  readonly group: string;
  /** Four octal digits: `"0644"`. */
  readonly mode: string;
  /** Bytes. */
  readonly size: number;
  /** Last read. Absent where only `ls` could be asked. */
  readonly atime?: Date;
  /** Last written. Absent where only `ls` could be asked and it left out the year: the control machine's clock never stands in for it. */
  readonly mtime?: Date;
  /** Last changed, its attributes included. Absent where only `ls` could be asked. */
  readonly ctime?: Date;
  /** What a symbolic link points to, as it is written there. */
  readonly linkTarget?: string;
}

/** What is at a path of a host. A symbolic link is not followed. */
export type PathState = Absent | PathStat;

/** Read the output of GNU's, busybox's or BSD's `stat`, or of `ls -ld`. `path` is what the command was given. Throws `SyntaxError`. */
export function parseStat(lines: readonly string[], path: string): PathStat {
  const text = lines.join("\n");
  const stat = STAT.exec(text);
  if (stat) {
    const [, user = "", group = "", mode = "", atime = "", mtime = "", ctime = "", size = "", name = ""] = stat;
    return {
      ...described(mode),
      user,
      group,
      size: Number(size),
      atime: seconds(atime),
      mtime: seconds(mtime),
      ctime: seconds(ctime),
      ...linkTarget(mode, name, path),
    };
  }
  const ls = LS.exec(text);
  if (!ls) throw new SyntaxError(`Neither stat nor ls wrote this: ${lines[0]}`);
  const [, mode = "", user = "", group = "", size = "", date = "", name = ""] = ls;
  return { ...described(mode), user, group, size: Number(size), ...midnight(date), ...linkTarget(mode, name, path) };
}

const STAT = /^user=(.*) group=(.*) mode=(\S+) atime=(-?\d*) mtime=(-?\d*) ctime=(-?\d*) size=(\d*) ([^]*)$/;
const LS =
  /^([-dlbcps][-rwxsStT]{9})\S*\s+\d+\s+(\S+)\s+(\S+)\s+(?:\d+,\s*)?(\d+)\s+([A-Z][a-z]{2}\s+\d{1,2}\s+[\d:]{4,5}|\d{4}-\d\d-\d\d(?:\s+\d\d:\d\d)?)\s+([^]*)$/;
const TYPES: Readonly<Record<string, PathStat["type"]>> = {
  "-": "file",
  d: "directory",
  l: "link",
  s: "socket",
  b: "block",
  c: "character",
  p: "fifo",
};

function described(mode: string): Pick<PathStat, "type" | "mode"> {
  const type = TYPES[mode[0] ?? ""];
  if (!type) throw new SyntaxError(`Unknown type of file: ${mode}`);
  return { type, mode: octal(mode.slice(1, 10)) };
}

/** `rwxr-sr-T` as four octal digits. */
function octal(letters: string): string {
  const bits = [...letters]
    .map((letter, at) => (/[-ST]/.test(letter) ? 0 : 0o400 >> at))
    .reduce((sum, bit) => sum | bit, 0);
  const special = [2, 5, 8]
    .map((at, index) => (/[sStT]/.test(letters[at] ?? "") ? 0o4000 >> index : 0))
    .reduce((sum, bit) => sum | bit, 0);
  return (bits | special).toString(8).padStart(4, "0");
}

const seconds = (text: string): Date => new Date(Number(text) * 1000);

/** Dates of `ls` as UTC; those without a year are left out. */
function midnight(date: string): { readonly mtime?: Date } {
  const [, name = "", day, year] = /^([A-Z][a-z]{2})\s+(\d+)\s+(\d{4})$/.exec(date) ?? [];
  const month = MONTHS.indexOf(name);
  if (month >= 0) return { mtime: new Date(Date.UTC(Number(year), month, Number(day))) };
  return /^\d{4}-/.test(date) ? { mtime: new Date(date.includes(":") ? `${date.replace(/\s+/, "T")}Z` : date) } : {};
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function linkTarget(mode: string, name: string, path: string): { readonly linkTarget?: string } {
  if (!mode.startsWith("l")) return {};
  const words = LINK.exec(name);
  const target = (words ? unquoted(words[1] ?? "") : undefined) ?? targetAfter(name, path);
  return { linkTarget: target };
}

/** One word as GNU's tools quote names: `'a b'`, `"it's"`, `'new'$'\n''line'`. */
const WORD = /\$'(?:[^'\\]|\\[^])*'|'[^']*'|"[^"]*"|\\[^]/;
const LINK = new RegExp(`^(?:${WORD.source})+ -> ((?:${WORD.source})+)$`);

function unquoted(word: string): string {
  const bytes: number[] = [];
  for (const [part] of word.matchAll(new RegExp(WORD, "g"))) {
    if (part.startsWith("$")) bytes.push(...escapes(part.slice(2, -1)));
    else bytes.push(...new TextEncoder().encode(part.startsWith("\\") ? part.slice(1) : part.slice(1, -1)));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** What stands between `$'` and `'`; an octal escape is one byte. */
function escapes(text: string): number[] {
  return [...text.matchAll(/\\([0-7]{1,3})|\\([^])|[^\\]+/g)].flatMap(([whole, digits, letter]) => {
    if (digits !== undefined) return [Number.parseInt(digits, 8)];
    return [...new TextEncoder().encode(letter === undefined ? whole : (LETTERS[letter] ?? letter))];
  });
}
const LETTERS: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  e: "\x1b",
};

/** Without quotes that can be trusted: what stands after the name and the arrow. */
function targetAfter(text: string, name: string): string {
  const prefix = [`'${name}' -> '`, `\`${name}' -> \`${""}`, `${name} -> `].find(start => text.startsWith(start));
  const target = prefix === undefined ? text.slice(text.indexOf(" -> ") + 4) : text.slice(prefix.length);
  if (prefix !== undefined && !/['`]$/.test(prefix)) return target;
  return prefix === undefined ? target.replace(/^[`']([^]*)'$/, "$1") : target.replace(/'$/, "");
}
