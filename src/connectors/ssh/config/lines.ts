/** The grammar of ssh_config(5). @module */
import { ConnectError } from "../../../core/errors.ts";

/** One line that says something. */
export interface Directive {
  /** Lower case. */
  readonly keyword: string;
  /** What follows, unquoted, up to a comment. */
  readonly args: readonly string[];
  /** What follows, as it is written: commands are taken like this. */
  readonly rest: string;
  readonly at: Place;
}

/** A line of a configuration file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}
export const placeText = ({ file, line }: Place): string => `${file}:${line}`;

/** Throws `ConnectError` where `ssh` would refuse the file. */
export function parseLines(text: string, file: string): readonly Directive[] {
  const directives: Directive[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const at = { file, line: index + 1 };
    const parts = LINE.exec(line.replace(/[ \t\r\f]+$/, ""));
    const keyword = (parts?.[1] ?? parts?.[2] ?? "").toLowerCase();
    if (!parts || keyword === "" || keyword.startsWith("#")) continue;
    const rest = parts[3] ?? "";
    if (rest === "") throw badLine(at, `The keyword ${JSON.stringify(keyword)} has no argument`);
    directives.push({ keyword, args: splitArguments(rest, at), rest, at });
  }
  return directives;
}
const LINE = /^[ \t\r]*(?:"([^"]*)"|([^ \t\r"=]+))[ \t\r]*=?[ \t\r]*(.*)$/;

/** An error in a configuration file. */
export const badLine = (at: Place, problem: string): ConnectError =>
  new ConnectError(`${problem} in ${placeText(at)}`, {
    at: { ...at, column: 1 },
    hint: "See ssh_config(5); the same file stops ssh too",
  });

/** Split as ssh does: quotes of both kinds, backslashes before quotes, backslashes and spaces, comments. */
export function splitArguments(
  text: string,
  at: Place,
  { comments = true }: { readonly comments?: boolean } = {},
): readonly string[] {
  const words: string[] = [];
  let position = 0;
  while (position < text.length) {
    if (text[position] === " " || text[position] === "\t") {
      position++;
      continue;
    }
    if (comments && text[position] === "#") break;
    let word = "";
    let quote = "";
    for (; position < text.length; position++) {
      const char = text[position] as string;
      const next = text[position + 1] ?? "";
      if (char === "\\" && next !== "" && (`'"\\`.includes(next) || (quote === "" && next === " "))) {
        word += next;
        position++;
      } else if (quote === "" && (char === " " || char === "\t")) break;
      else if (quote === "" && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = "";
      else word += char;
    }
    if (quote !== "") throw badLine(at, "A quote is not closed");
    words.push(word);
  }
  return words;
}
