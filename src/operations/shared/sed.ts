/** Editing lines of a host's file with `sed`. @module */
import { interpolated, joined, remotePath, sh, type Shell, singleQuoted, type Word } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";

/** Arguments of operations that edit lines. */
export interface SedArguments {
  /** Flags of sed's `s` command, such as `["g"]` or `"i"`. `e` and `w` are refused: they run programs and write files. */
  readonly flags?: string | readonly string[];
  /** Keep the old file beside the new one, with the time added to its name; default false. */
  readonly backup?: boolean;
  /** Let the host's shell expand `$…` and backquotes in what is looked for and in its replacement; default false. */
  readonly interpolateVariables?: boolean;
  /** Extended regular expressions, where `+`, `?`, `(…)` and `|` need no backslash; default false. */
  readonly extendedRegex?: boolean;
}

/** One edit of a file. */
interface Edit extends SedArguments {
  readonly path: string;
  /** Regular expression. */
  readonly pattern: string;
  /** For the name of the old file. */
  readonly timestamp: string;
}

/** Replace what matches. `&` in the replacement is taken as it is, `\1` is what the first group matched. */
export function sedReplace({ replacement, ...edit }: Edit & { readonly replacement: string }): Shell {
  return sed(
    `s/${delimited(edit.pattern, "pattern")}/${delimited(replacement, "replacement")}/${flagText(edit.flags)}`,
    edit,
  );
}

/** Delete the lines that match. */
export function sedDelete(edit: Edit): Shell {
  return sed(`/${delimited(edit.pattern, "pattern")}/${/i/i.test(flagText(edit.flags)) ? "I" : ""}d`, edit);
}

function sed(script: string, { path, backup, interpolateVariables, extendedRegex, timestamp }: Edit): Shell {
  const file = remotePath(path);
  const program: Word = interpolateVariables ? interpolated(script) : singleQuoted(script);
  const edited = sh`${["sed", extendedRegex && "-E", `-i.${timestamp}`, program, file]}`;
  return backup ? edited : joined(" && ", [edited, sh`rm -f ${remotePath(`${path}.${timestamp}`)}`]);
}

/** Flags as sed reads them, and refused if they could do more than choose what is replaced. */
export function flagText(flags: SedArguments["flags"]): string {
  const text = [flags ?? []].flat().join("");
  if (!/^[A-Za-z0-9]*$/.test(text) || /[ewW]/.test(text))
    throw new OperationValueError(
      `\`flags\` is ${JSON.stringify(flags)}; wanted are flags of sed's s command, without e and w`,
    );
  return text;
}

/** Text between the slashes of a command of sed or awk: no slash in it ends it, and no newline starts another command. */
export function delimited(text: string, role: "pattern" | "replacement"): string {
  return text.replace(/\\[^]|[^]/g, found => {
    if (found === "/" || found === "\\/") return "\\/";
    if (found === "\\") return "\\\\";
    if (role === "pattern") return found;
    return found === "&" || found === "\n" ? `\\${found}` : found;
  });
}

/** Refuse a newline where a text stands for one line. */
export function checkOneLine(text: string | undefined, argument: string): void {
  if (text?.includes("\n"))
    throw new OperationValueError(`\`${argument}\` is more than one line: ${JSON.stringify(text)}`);
}
