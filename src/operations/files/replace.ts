import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { FindInFile } from "../../facts/files/index.ts";
import { textOf } from "../shared/content.ts";
import { checkPath } from "../shared/paths.ts";
import { checkOneLine, flagText, type SedArguments, sedReplace } from "../shared/sed.ts";

/** What `files.replace` takes. */
export interface ReplaceArguments extends SedArguments {
  /** Path of the file on the host. */
  readonly path: string;
  /** Regular expression for what is replaced. */
  readonly text?: string;
  /** What takes its place: `\1` is what the first group matched. */
  readonly replace?: string;
  /** Old name of `text`. */
  readonly match?: string;
}

/**
 * Replace parts of lines: the first match of each, or all with the flag `g`.
 * It changes something each time as long as the replacement matches too.
 * @example files.replace({ path: "/etc/motd", text: "verboten", replace: "forbidden", flags: ["g"] });
 */
export const replace = operation<ReplaceArguments>({
  name: "files.replace",
  changes: "what it names",
  positional: ["path", "text", "replace"],
  async *steps(host, args) {
    const { path, replace: replacement, interpolateVariables = false, extendedRegex = false } = args;
    const text = args.text ?? args.match;
    checkPath(path);
    if (args.text === undefined && args.match !== undefined)
      host.warn("The argument `match` of files.replace is now `text`");
    if (text === undefined)
      throw new OperationTypeError("Missing argument `text` required in `files.replace` operation");
    if (replacement === undefined)
      throw new OperationTypeError("Missing argument `replace` required in `files.replace` operation");
    if (text === "") throw new OperationValueError("`text` must not be empty: it would match every line");
    checkOneLine(text, args.text === undefined ? "match" : "text");
    flagText(args.flags);
    const found = await host.getFact(FindInFile, { path, pattern: text, interpolateVariables, extendedRegex });
    if (found && found.length === 0) return host.noop(`string "${text}" does not exist in ${path}`);
    if (found) await showReplacement(host, args, text, replacement);
    yield sedReplace({ ...args, pattern: text, replacement, timestamp: host.timestamp() });
  },
});

/** Regular expressions of the host's tools are not ours: only plain text can be replaced here as it will be there. */
async function showReplacement(
  host: OperationHost,
  { path, flags, interpolateVariables }: ReplaceArguments,
  text: string,
  replacement: string,
): Promise<void> {
  const given = flagText(flags);
  if (
    !host.wantsDiff ||
    interpolateVariables ||
    /[\\.*[\]^$+?(){}|]/.test(text) ||
    replacement.includes("\\") ||
    /[^gi]/i.test(given)
  )
    return;
  const pattern = new RegExp(text, `${given.includes("g") ? "g" : ""}${/i/i.test(given) ? "i" : ""}`);
  const before = await textOf(host, path);
  host.showDiff(
    path,
    before,
    before
      .split("\n")
      .map(line => line.replace(pattern, () => replacement))
      .join("\n"),
  );
}
