/** What became text and was no text: a promise, a function, another object, or nothing at all. @module */
import { Raw, Secret, Shell } from "../core/command.ts";
import { memberPath } from "../core/member-path.ts";

/** What stands in a text that nobody meant. */
export type Stray = "promise" | "promise text" | "function text" | "object text" | "date" | Word;

/** What became of a value that is not there, is no number or no date. */
export type Word = "undefined" | "null" | "NaN" | "Infinity" | "Invalid Date";

/** Where in a value it stands. */
export interface StrayText {
  /** From the value to the text: `[0].source`. */
  readonly path: string;
  readonly stray: Stray;
  /** The line it stands in; absent where that must not be shown. */
  readonly line?: string;
}

/**
 * Functions say that they are functions where they become text; what they say is still their source.
 * Nothing else tells `name ${handle.didChange}` from a file that is made of JavaScript.
 */
export function markFunctions(): void {
  if (Object.hasOwn(Function.prototype, Symbol.toPrimitive)) return;
  Object.defineProperty(Function.prototype, Symbol.toPrimitive, {
    value(this: () => unknown): string {
      return `${FUNCTION_MARK} ${this.toString()}`;
    },
    // Some functions have one of their own (`os.hostname`), which others assign.
    writable: true,
    configurable: true,
  });
}
const FUNCTION_MARK = "/*[function]*/";
const PROMISE_MARK = "[object Promise]";
/** What objects without a text of their own become. Programs compare with it. */
const OBJECT_MARK = /(?<![=!]=\s*["'])\[object [A-Z][\w. ]*\]/;

/** The first text inside of a value that was none. In a program (JavaScript, TypeScript) `undefined` is a word. */
export function strayText(value: unknown, isProgram: boolean): StrayText | undefined {
  return search(value, { isProgram, isSecret: false, seen: new Set() });
}

interface Search {
  readonly isProgram: boolean;
  /** What is found must not be shown. */
  readonly isSecret: boolean;
  readonly seen: Set<object>;
}

function search(value: unknown, how: Search): StrayText | undefined {
  if (typeof value === "string") return inText(value, how);
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Promise) return { path: "", stray: "promise" };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? { path: "", stray: "date" } : undefined;
  if (value instanceof Secret) return inText(value.reveal(), { ...how, isSecret: true });
  if (value instanceof Raw) return search(value.text, how);
  if (value instanceof Shell)
    return first(
      value.words.map(word => ["", word] as const),
      how,
    );
  // Each is looked through once, also where it holds itself.
  if (how.seen.has(value)) return undefined;
  how.seen.add(value);
  if (Array.isArray(value))
    return first(
      value.map((item, index) => [`[${index}]`, item] as const),
      how,
    );
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return first(
    Object.entries(value).map(([key, item]) => [memberPath(key), item] as const),
    how,
  );
}

function first(members: readonly (readonly [path: string, value: unknown])[], how: Search): StrayText | undefined {
  for (const [path, value] of members) {
    const found = search(value, how);
    if (found) return { ...found, path: `${path}${found.path}` };
  }
  return undefined;
}

function inText(text: string, { isProgram, isSecret }: Search): StrayText | undefined {
  const found = (stray: Stray, at: number): StrayText => {
    const start = text.lastIndexOf("\n", at) + 1;
    const end = text.indexOf("\n", at);
    return { path: "", stray, ...(isSecret ? {} : { line: text.slice(start, end < 0 ? undefined : end) }) };
  };
  const promise = text.indexOf(PROMISE_MARK);
  if (promise >= 0) return found("promise text", promise);
  const marked = text.indexOf(FUNCTION_MARK);
  if (marked >= 0) return found("function text", marked);
  if (isProgram) return undefined;
  const object = text.includes("[object ") ? OBJECT_MARK.exec(text) : null;
  if (object) return found("object text", object.index);
  for (const { word, holes } of WORDS) {
    if (!text.includes(word)) continue;
    const hole = holes.map(pattern => pattern.exec(text)).find(match => match !== null);
    if (hole) return found(word, hole.index + hole[0].indexOf(word));
  }
  return undefined;
}

const START = `(?:^|[\\s"'=:(])`;
const END = `(?=[/\\s"';:,)?#&]|$)`;
/** A regular expression and what is done where it matches, as sed and awk take them: `/undefined/d`, `/undefined/,$p`, `/undefined/ {`. */
const NO_ADDRESS = `(?![A-Za-z!]?(?:['"\\s,;{}]|$)|s/)`;

/** Part of a path: `/srv/undefined/x`, `~/undefined`; not what sed replaces: `/x/s/undefined/0/`. */
const inPath = (word: string): readonly RegExp[] => [
  new RegExp(`^[~.]{0,2}/${word}(?:/\\S*)?$`),
  new RegExp(`${START}(?:/(?!/)|[~.]{1,2}/)(?:[^\\s"':]*[/@])?(?<!${START}/|/s/)${word}${END}`, "m"),
  new RegExp(`${START}/${word}/${NO_ADDRESS}`, "m"),
];

/** The port of an address. */
const asPort = (word: string): RegExp => new RegExp(`\\w://[^\\s"'/]*:${word}${END}`, "m");

/**
 * Where these words are what became of a value. Honest text has all of them, so each counts only where nobody writes it:
 * what became of a value anywhere else cannot be told from what was meant, and is let through.
 *
 * - `undefined` is used in prose, in programs and by compilers (`-fsanitize=undefined`, `-undefined dynamic_lookup`): it counts where a value stands.
 * - `NaN` is a value in data, metrics and settings (`rate NaN`, `fill = NaN`): it counts as a part of a path of a file, and as a port.
 * - `Invalid Date` is a message that programs and their translations have: it counts as a part of a path, also of a name in it.
 * - `Infinity` is a value too, and a name: it counts as a port.
 * - `null` is a value in JSON, YAML and SQL, and the name of a device and of packages (`/dev/null`, `hashicorp/null/3.2`): it counts as the host and
 *   the port of an address. Where the types tell that a value may be `null`, `tsinfra check` finds it in any text.
 */
const WORDS: readonly { readonly word: Word; readonly holes: readonly RegExp[] }[] = [
  {
    word: "undefined",
    holes: [
      // The whole text, or a whole line of it.
      /^[ \t]*["']?undefined["']?[;,]?[ \t]*$/m,
      // The value of a line: `port undefined`, `port = undefined`, `"port": "undefined",`.
      /^[ \t]*(?:- )?["']?[\w.-]+["']?(?:[ \t]*[=:][ \t]*|[ \t]+)["']?undefined["']?[;,]?[ \t]*$/m,
      // The value of an assignment or an option: `PORT=undefined`.
      /(?<![=!<>]|sanitize)=["']?undefined["']?(?=[\s;,&)]|$)/m,
      ...inPath("undefined"),
      /(?:^|[\s"'=:(])\/undefined(?=[\s"';:,)?#&]|$)/m,
      /^undefined\//,
      // Part of an address: `https://undefined/`, `https://example.com/undefined`.
      /\w:\/\/(?:[^\s"']*[/@])?undefined(?=[/\s"';:,)?#&]|$)/m,
      // A user or a host: `undefined@web`, `ada@undefined`, `undefined:8080`.
      /(?:^|[\s"'=/])undefined@\w/m,
      /\w@undefined(?![\w.-]*\w)/,
      /(?:^|[\s"'=/])undefined:\d/m,
      asPort("undefined"),
    ],
  },
  { word: "NaN", holes: [...inPath("NaN"), asPort("NaN")] },
  {
    word: "Invalid Date",
    holes: [
      // Where a path is all there is, it may have spaces.
      /^[~.]{0,2}\/(?!\/)[^\n"']*Invalid Date[^\n"'\s]*$/,
      /(?:^|[\s"'=:(])[~.]{0,2}\/(?!\/)[^\s"':]*Invalid Date/m,
    ],
  },
  { word: "Infinity", holes: [asPort("Infinity")] },
  { word: "null", holes: [asPort("null"), new RegExp(`\\w://(?:[^\\s"'/]*@)?null(?=[:/]|[\\s"';,)]|$)`, "m")] },
];
