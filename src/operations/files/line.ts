import { interpolated, joined, remotePath, sh, type Shell, type Word } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { FindInFile } from "../../facts/files/index.ts";
import { textOf } from "../shared/content.ts";
import { isLiteral, linePattern, literal, withoutAnchors } from "../shared/line-pattern.ts";
import { checkPath } from "../shared/paths.ts";
import { checkOneLine, flagText, type SedArguments, sedDelete, sedReplace } from "../shared/sed.ts";

/** What `files.line` takes. */
export interface LineArguments extends SedArguments {
  /** Path of the file on the host. It is made if it is not there. */
  readonly path: string;
  /** Regular expression for the line: the whole line if it begins with `^` and ends with `$`, else a part of it. Without `replace` it is also the line that is added. */
  readonly line: string;
  /** `false`: lines that match must not be there. Default true. */
  readonly present?: boolean;
  /** What each line that matches is to be; it is added when none does. */
  readonly replace?: string;
  /** Take `line` as it is, not as a regular expression; default false. */
  readonly escapeRegexCharacters?: boolean;
  /** End the file's last line with a newline before a line is added; default false. */
  readonly ensureNewline?: boolean;
}

/**
 * Make sure that a file has a line, that lines which match are as wanted, or that there are none.
 * @example files.line({ path: "/etc/ssh/sshd_config", line: "PasswordAuthentication .*", replace: "PasswordAuthentication no" });
 */
export const line = operation<LineArguments>({
  name: "files.line",
  changes: "what it names",
  positional: ["path", "line"],
  async *steps(host, args) {
    const {
      path,
      present = true,
      replace,
      escapeRegexCharacters = false,
      interpolateVariables = false,
      extendedRegex = false,
    } = args;
    const syntax = extendedRegex ? "extended" : "basic";
    checkPath(path);
    checkOneLine(args.line, "line");
    checkOneLine(replace, "replace");
    flagText(args.flags);
    const pattern = linePattern(args.line, escapeRegexCharacters ? syntax : undefined);
    const wanted = replace || (escapeRegexCharacters ? args.line : withoutAnchors(args.line));
    const edit = { ...args, pattern, timestamp: host.timestamp() };
    const question = { path, interpolateVariables, extendedRegex };
    const found = await host.getFact(FindInFile, { ...question, pattern });

    if (!present) {
      if (!found?.length) return host.noop(`line "${args.line}" does not exist in ${path}`);
      await showLines(host, path, lines => lines.filter(one => !found.includes(one)));
      return yield sedDelete(edit);
    }
    if (found?.length) {
      if (!replace || found.every(one => one === replace)) return host.noop(`line "${wanted}" exists in ${path}`);
      const plain = !interpolateVariables && !replace.includes("\\");
      if (plain) await showLines(host, path, lines => lines.map(one => (found.includes(one) ? replace : one)));
      return yield sedReplace({ ...edit, replacement: replace });
    }
    // A pattern need not match itself, and what is added once must be found the next time.
    if (replace || (!escapeRegexCharacters && !isLiteral(wanted, syntax))) {
      const there = await host.getFact(FindInFile, {
        ...question,
        pattern: interpolateVariables ? `^${withoutAnchors(wanted)}$` : `^${literal(wanted, syntax)}$`,
      });
      if (there?.length) return host.noop(`line "${wanted}" exists in ${path}`);
    }
    if (found) await showLines(host, path, lines => [...lines, wanted]);
    else host.showDiff(path, undefined, `${wanted}\n`);
    yield append(host, args, wanted);
  },
});

function append(
  host: OperationHost,
  { path, backup, ensureNewline, interpolateVariables }: LineArguments,
  text: string,
): Shell {
  const file = remotePath(path);
  const word: Word = interpolateVariables ? interpolated(text) : text;
  // Some shells' echo reads backslashes and a leading dash.
  const print = /^-|\\/.test(text) ? sh`printf '%s\n' ${word}` : sh`echo ${word}`;
  const added = ensureNewline
    ? sh`( [ $(tail -c1 ${file} | wc -l) -eq 0 ] && echo ; ${print} ) >> ${file}`
    : sh`${print} >> ${file}`;
  return backup ? joined(" && ", [sh`cp ${file} ${remotePath(`${path}.${host.timestamp()}`)}`, added]) : added;
}

async function showLines(
  host: OperationHost,
  path: string,
  change: (lines: readonly string[]) => readonly string[],
): Promise<void> {
  if (!host.wantsDiff) return;
  const before = await textOf(host, path);
  const after = change(before.split("\n").slice(0, -1));
  host.showDiff(path, before, after.map(one => `${one}\n`).join(""));
}
