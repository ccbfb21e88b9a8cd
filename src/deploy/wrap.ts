/** Turning a top-level deploy script into a function that can be called once per host. Pure. @module */

/** A deploy file as it is handed to the transpiler. */
export interface Wrapped {
  readonly contents: string;
  /** Columns by which the first line moved to the right. */
  readonly firstLineShift: number;
  /** The file exports a function by default: it was left as it is. */
  readonly isFunction: boolean;
}

/**
 * Hoist the static imports to the first line, and make the rest the body of an async function.
 * Lines stay where they are, so that errors and call sites keep the user's own positions:
 * what is hoisted or dropped is replaced by blanks. A file with a default export is left alone.
 */
export function wrapDeploy(source: string): Wrapped {
  const statements = moduleStatements(source);
  if (statements.some(statement => statement.kind === "default")) {
    return { contents: blank(source, 0, shebangEnd(source)), firstLineShift: 0, isFunction: true };
  }
  let body = blank(source, 0, shebangEnd(source));
  const hoisted: string[] = [];
  for (const { kind, start, end } of statements) {
    if (kind === "import") hoisted.push(`${oneLine(source.slice(start, end))};`);
    body = blank(body, start, end);
  }
  const head = `${hoisted.join("")}export default async () => {`;
  return { contents: `${head}${body}\n}`, firstLineShift: head.length, isFunction: false };
}

/** A top-level part of a module that cannot stand in a function: an import (or re-export), an `export` keyword, an export list. */
interface ModuleStatement {
  readonly kind: "import" | "export" | "default";
  readonly start: number;
  /** For `export const …` only the keyword is meant. */
  readonly end: number;
}

/** Find the top-level imports and exports of a module. */
function moduleStatements(source: string): ModuleStatement[] {
  const found: ModuleStatement[] = [];
  let depth = 0;
  let at = shebangEnd(source);
  /** The last thing that was not white space or a comment: tells a division from a regular expression, a keyword from a property. */
  let previous = "";
  while (at < source.length) {
    const char = source[at]!;
    const skipped = skipLiteral(source, at, previous);
    if (skipped > at) {
      if (!isComment(source, at)) previous = "literal";
      at = skipped;
      continue;
    }
    if (/[A-Za-z_$]/.test(char)) {
      const word = /[\w$]+/y;
      word.lastIndex = at;
      const name = word.exec(source)![0];
      if (depth === 0 && previous !== "." && (name === "import" || name === "export")) {
        const statement = name === "import" ? importAt(source, at) : exportAt(source, at);
        if (statement) {
          found.push(statement);
          at = statement.end;
          previous = ";";
          continue;
        }
      }
      previous = name;
      at += name.length;
      continue;
    }
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    if (!/\s/.test(char)) previous = char;
    at++;
  }
  return found;
}

/** `import …` up to its end; nothing for `import(…)` and `import.meta`. */
function importAt(source: string, start: number): ModuleStatement | undefined {
  if (/^import\s*[(.]/.test(source.slice(start, start + 50))) return undefined;
  return { kind: "import", start, end: afterSpecifier(source, start) };
}

function exportAt(source: string, start: number): ModuleStatement {
  const rest = source.slice(start);
  if (/^export\s+default\b/.test(rest)) return { kind: "default", start, end: start + "export".length };
  const list = /^export\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s*(from\b)?/.exec(rest);
  if (!list) return { kind: "export", start, end: start + "export".length };
  if (list[1]) return { kind: "import", start, end: afterSpecifier(source, start + list[0].length) };
  const end = start + list[0].length;
  return { kind: "export", start, end: source[end] === ";" ? end + 1 : end };
}

/** Past the module specifier (and `with { … }`, and a semicolon) that follows. */
function afterSpecifier(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '"' && source[at] !== "'") {
    // `import fs = require("fs")` ends in a call.
    at = isComment(source, at) ? skipLiteral(source, at, "") : at + 1;
  }
  at = skipLiteral(source, at, "");
  const tail = /^\s*\)?(?:\s*with\s*\{[^}]*\})?[^\S\n]*;?/.exec(source.slice(at));
  return at + (tail?.[0].length ?? 0);
}

const isComment = (source: string, at: number): boolean => source.startsWith("//", at) || source.startsWith("/*", at);

/** Where the comment, string, template or regular expression that starts here ends; `at` if none does. */
function skipLiteral(source: string, at: number, previous: string): number {
  const char = source[at];
  if (source.startsWith("//", at)) return endOf(source, "\n", at);
  if (source.startsWith("/*", at)) return endOf(source, "*/", at + 2, 2);
  if (char === '"' || char === "'") return skipQuoted(source, at, char);
  if (char === "`") return skipTemplate(source, at);
  if (char === "/" && startsRegExp(previous)) return skipRegExp(source, at);
  return at;
}

function endOf(source: string, text: string, from: number, extra = 0): number {
  const found = source.indexOf(text, from);
  return found === -1 ? source.length : found + extra;
}

function skipQuoted(source: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipTemplate(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== "`") {
    if (source[at] === "\\") at += 2;
    else if (source.startsWith("${", at)) at = skipHole(source, at + 2);
    else at++;
  }
  return at + 1;
}

/** Past the `}` that ends a template's hole. */
function skipHole(source: string, start: number): number {
  let depth = 1;
  let at = start;
  let previous = "{";
  while (at < source.length) {
    const skipped = skipLiteral(source, at, previous);
    if (skipped > at) {
      at = skipped;
      previous = "literal";
      continue;
    }
    const char = source[at++]!;
    if (char === "{") depth++;
    if (char === "}" && --depth === 0) return at;
    if (!/\s/.test(char)) previous = char;
  }
  return at;
}

/** A slash begins a regular expression where a value may begin. */
const startsRegExp = (previous: string): boolean =>
  previous === "" ||
  /^[([{,;=:!&|?+\-*%~^<>}]$/.test(previous) ||
  /^(?:return|typeof|case|in|of|delete|void|throw|new|instanceof|await|yield|else|do)$/.test(previous);

function skipRegExp(source: string, start: number): number {
  let at = start + 1;
  let inClass = false;
  while (at < source.length && source[at] !== "\n") {
    const char = source[at]!;
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
    at++;
  }
  return at;
}

const shebangEnd = (source: string): number => (source.startsWith("#!") ? endOf(source, "\n", 0) : 0);

/** Replace a range by blanks, keeping the line breaks. */
const blank = (source: string, start: number, end: number): string =>
  source.slice(0, start) + source.slice(start, end).replace(/[^\r\n]/g, " ") + source.slice(end);

/** A statement on one line, without its comments. */
function oneLine(statement: string): string {
  let text = "";
  for (let at = 0; at < statement.length;) {
    const next = Math.max(skipLiteral(statement, at, ""), at + 1);
    text += isComment(statement, at) ? " " : statement.slice(at, next).replace(/\n/, " ");
    at = next;
  }
  return text.replace(/;$/, "");
}
