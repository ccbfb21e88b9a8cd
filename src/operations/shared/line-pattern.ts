/** Regular expressions for whole lines. @module */

/** Which characters a regular expression gives a meaning: `basic` for grep and sed, `extended` for awk, `grep -E` and `sed -E`. */
export type RegexSyntax = "basic" | "extended";
const SPECIAL: Readonly<Record<RegexSyntax, RegExp>> = { basic: /[\\.*[\]^$]/g, extended: /[\\.*[\]^$+?(){}|]/g };

/** A pattern that matches this text and nothing else. */
export const literal = (text: string, syntax: RegexSyntax): string => text.replace(SPECIAL[syntax], "\\$&");

/** Whether a text, taken as a pattern, matches itself: a dot does. */
export const isLiteral = (text: string, syntax: RegexSyntax): boolean =>
  literal(text.replaceAll(".", ""), syntax) === text.replaceAll(".", "");

/** A pattern for the whole line: without `^` in front, or `$` at the end, anything may stand there. `escape` takes the text as it is. */
export function linePattern(line: string, escape?: RegexSyntax): string {
  const pattern = escape ? literal(line, escape) : line;
  return `${pattern.startsWith("^") ? "" : "^.*"}${pattern}${pattern.endsWith("$") && !pattern.endsWith("\\$") ? "" : ".*$"}`;
}

/** What a pattern for a whole line says without its `^` and `$`. */
export const withoutAnchors = (line: string): string => line.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
