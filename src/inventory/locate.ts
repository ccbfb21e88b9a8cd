/** Where in an inventory file something is written. @module */
import type { CallSite } from "../core/errors.ts";
import type { Spot } from "./groups.ts";

/** The place of a group, or of one of its members, in a file's text; the start of the file when it is computed and not written. */
export function locate(file: string, text: string, { group, member, key }: Spot): CallSite {
  const start = groupOffset(text, group);
  if (start === undefined) return { file, line: 1, column: 1 };
  if (key !== undefined) {
    const found = new RegExp(`(?<![\\w$])["']?${escape(key)}["']?\\s*[:=]`).exec(text.slice(start));
    return toSite(file, text, found ? start + found.index : start);
  }
  const find = /\.ya?ml$/.test(file) ? itemOffset : memberOffset;
  return toSite(file, text, (member === undefined ? undefined : find(text, start, member)) ?? start);
}

const escape = (name: string): string => name.replace(/[^\w]/g, "\\$&");

/** Offset of the group's name: an export, a key, or a TOML table. */
export function groupOffset(text: string, group: string): number | undefined {
  const name = escape(group);
  const declared = new RegExp(`\\b(?:const|let|var|function)\\s+(${name})(?![\\w$])`).exec(text);
  const written = declared ?? new RegExp(`(?<![\\w$.])["']?(${name})["']?\\s*[:=\\]]`).exec(text);
  if (!written) return group === "all" ? /\[/.exec(text)?.index : undefined;
  return written.index + written[0].indexOf(written[1] ?? "");
}

/** Offset of the member of a list literal that follows `start`. */
function memberOffset(text: string, start: number, member: number): number | undefined {
  const annotated = /^[^\n]*?=\s*/.exec(text.slice(start));
  const open = text.indexOf("[", start + (annotated && /:\s*[^=]*\[\]/.test(annotated[0]) ? annotated[0].length : 0));
  if (open < 0) return undefined;
  let depth = 0;
  let index = 0;
  let isFresh = true;
  for (const { offset, token } of tokens(text, open)) {
    if (isFresh && depth === 1 && index === member && token !== "]" && token !== ",") return offset;
    if ("[{(".includes(token)) depth++;
    else if ("]})".includes(token)) depth--;
    if (depth === 0) return undefined;
    if (depth === 1 && token === ",") {
      index++;
      isFresh = true;
    } else if (offset > open) isFresh = false;
  }
  return undefined;
}

/** Offset of the item of a YAML list that follows `start`, in either style. */
function itemOffset(text: string, start: number, member: number): number | undefined {
  const rest = text.slice(start);
  const first = /^[^\n]*:\s*\[/.test(rest) ? undefined : /\n([ \t]*)- /.exec(rest);
  if (!first) return memberOffset(text, start, member);
  const items = [...rest.matchAll(new RegExp(`\\n${first[1] ?? ""}- +`, "g"))];
  const item = items[member];
  return item && start + item.index + item[0].length;
}

/** Brackets, commas, strings and words; white space and comments are skipped. */
function* tokens(text: string, from: number): Generator<{ readonly offset: number; readonly token: string }> {
  const pattern =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[[\](){},]|[^\s[\](){},"'`/#]+|\//g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (!/^(?:\/\/|\/\*|#)/.test(match[0])) yield { offset: match.index, token: match[0] };
  }
}

function toSite(file: string, text: string, offset: number): CallSite {
  const before = text.slice(0, offset);
  return { file, line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
