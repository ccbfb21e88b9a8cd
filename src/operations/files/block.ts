import { joined, remotePath, sh, type Shell, upload, type Word } from "../../core/command.ts";
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Block, blockMarkers, literalEre } from "../../facts/files/index.ts";
import { textOf } from "../shared/content.ts";
import { isLiteral, linePattern } from "../shared/line-pattern.ts";
import { checkPath } from "../shared/paths.ts";
import { checkOneLine, delimited } from "../shared/sed.ts";

/** What `files.block` takes. */
export interface BlockArguments {
  /** Path of the file on the host. It is made if it is not there. */
  readonly path: string;
  /** The lines between the markers, taken as they are. Required unless `present` is false. */
  readonly content?: string | readonly string[];
  /** `false`: the block and its markers must not be there. Default true. */
  readonly present?: boolean;
  /** Extended regular expression for the line that a new block goes next to; where none matches, it goes to the end. */
  readonly line?: string;
  /** Keep the old file beside the new one, with the time added to its name; default false. */
  readonly backup?: boolean;
  /** Take `line` as it is, not as a regular expression; default false. */
  readonly escapeRegexCharacters?: boolean;
  /** Does nothing: the host's shell never expands anything in `content`. */
  readonly tryPreventShellExpansion?: boolean;
  /** Put a new block before `line`; together with `after` and without `line`, at the beginning of the file. Default false. */
  readonly before?: boolean;
  /** Put a new block after `line`; default false. */
  readonly after?: boolean;
  /** The lines around the block, with `{mark}` where `begin` or `end` stands; default `# {mark} PYINFRA BLOCK`, by which blocks that pyinfra made are found. */
  readonly marker?: string;
  /** What `{mark}` is in the line before; default `BEGIN`. */
  readonly begin?: string;
  /** What `{mark}` is in the line after; default `END`. */
  readonly end?: string;
}

/**
 * Make sure that a file has a block of lines between two marker lines, or that it has none.
 * @example files.block({ path: "/etc/hosts", content: ["192.0.2.1 mars", "192.0.2.2 venus"], marker: "# {mark} planets" });
 */
export const block = operation<BlockArguments>({
  name: "files.block",
  changes: "what it names",
  positional: ["path", "content"],
  async *steps(host, args) {
    const { path, present = true, line } = args;
    checkPath(path);
    const markers = checkedMarkers(args);
    const current = await host.getFact(Block, { path, ...named(args) });
    if (!present) {
      if (args.content?.length) host.warn("`content` is not looked at when a block is removed");
      if (current === undefined) return host.noop("no remove required: file did not exist");
      if (current.length === 0) return host.noop("no remove required: markers not found");
      await showBlock(host, path, markers, []);
      return yield* rewrite(host, args, `/${literalEre(markers.begin)}/,/${literalEre(markers.end)}/ {next} 1`);
    }
    const content = wantedLines(args);
    if (current && content.length === current.length && content.every((text, at) => text === current[at]))
      return host.noop("content already present");
    const whole = [markers.begin, ...content, markers.end];
    if (current === undefined) {
      host.showDiff(path, undefined, `${whole.join("\n")}\n`);
      return yield upload({ content: `${whole.join("\n")}\n` }, path);
    }
    if (current.length > 0) {
      await showBlock(host, path, markers, whole);
      const program = `BEGIN {{f=1; x=ARGV[2]; ARGV[2]=""}}/${literalEre(markers.begin)}/ {print; print x; f=0} /${literalEre(markers.end)}/ {print; f=1; next} f`;
      return yield* rewrite(host, args, program, content.join("\n"));
    }
    await showNew(host, args, whole);
    yield* rewrite(host, args, insertion(args, line), whole.join("\n"));
  },
});

/** Arguments of the fact that were given. */
const named = ({ marker, begin, end }: BlockArguments): Pick<BlockArguments, "marker" | "begin" | "end"> => ({
  ...(marker === undefined ? {} : { marker }),
  ...(begin === undefined ? {} : { begin }),
  ...(end === undefined ? {} : { end }),
});

function checkedMarkers(args: BlockArguments): { readonly begin: string; readonly end: string } {
  const { marker = "{mark}", begin, end } = args;
  for (const [argument, text] of Object.entries({ marker, begin, end })) checkOneLine(text, argument);
  const markers = blockMarkers(args);
  // One marker inside of the other would be taken for it.
  if (markers.begin.includes(markers.end) || markers.end.includes(markers.begin))
    throw new OperationValueError(`One marker contains the other: "${markers.begin}" and "${markers.end}"`);
  return markers;
}

function wantedLines({ content, line, before = false, after = false }: BlockArguments): readonly string[] {
  if (!content?.length) throw new OperationValueError("'content' must be supplied when 'present' == true");
  if (line !== undefined && typeof line !== "string")
    throw new OperationTypeError("'line' must be a regex or a string");
  if (line && before === after)
    throw new OperationValueError("Only one of 'before' or 'after' used when 'line' is specified");
  if (!line && before !== after)
    throw new OperationValueError("'line' must be supplied or 'before' and 'after' must be equal");
  checkOneLine(line, "line");
  return typeof content === "string"
    ? content.replace(/\n$/, "").split("\n")
    : content.flatMap(text => text.split("\n"));
}

/** The awk program that puts `x` into a file that has no block yet. */
function insertion({ before, escapeRegexCharacters }: BlockArguments, line: string | undefined): string {
  const take = `BEGIN {x=ARGV[2]; ARGV[2]=""}`;
  if (!line) return before ? `BEGIN {x=ARGV[2]; ARGV[2]=""; print x} { print }` : `${take} { print } END { print x }`;
  const pattern = delimited(linePattern(line, escapeRegexCharacters ? "extended" : undefined), "pattern");
  return `${take} ${before ? "" : "{ print }"} f!=1 && /${pattern}/ { print x; f=1} END {if (f==0) print x } ${before ? "{ print }" : ""}`;
}

/** Run the file through awk into a temporary file that takes its place, with its owner and mode. */
async function* rewrite(
  host: OperationHost,
  { path, backup }: BlockArguments,
  program: string,
  ...input: readonly string[]
): AsyncGenerator<Shell> {
  const file: Word = remotePath(path);
  const directory = await host.tempDir();
  const command = joined("  && ", [
    sh`OUT="$(TMPDIR=${directory} mktemp -t pyinfra.XXXXXX)" &&  MODE="$(stat -c %a ${file} 2>/dev/null || stat -f %Lp ${file} 2>/dev/null)" && OWNER="$(stat -c "%u:%g" ${file} 2>/dev/null || stat -f "%u:%g" ${file} 2>/dev/null || echo $(id -un):$(id -gn))" && awk ${[program, file, ...input]} > "$OUT"`,
    sh`mv "$OUT" ${file}`,
    sh`chown "$OWNER" ${file}`,
    sh`chmod "$MODE" ${file}`,
  ]);
  yield backup ? joined(" && ", [sh`cp ${file} ${remotePath(`${path}.${host.timestamp()}`)}`, command]) : command;
}

/** Show the file with a new block. What awk's regular expressions match is not known here: next to a pattern that is not plain text, nothing is shown. */
async function showNew(
  host: OperationHost,
  { path, line, before, escapeRegexCharacters }: BlockArguments,
  whole: readonly string[],
): Promise<void> {
  if (!host.wantsDiff || (line && !escapeRegexCharacters && !isLiteral(line, "extended"))) return;
  const old = await textOf(host, path);
  const lines = old.split("\n").slice(0, -1);
  const found = line ? lines.findIndex(one => one.includes(line)) : -1;
  const at = found >= 0 ? found + (before ? 0 : 1) : before && !line ? 0 : lines.length;
  host.showDiff(
    path,
    old,
    lines
      .toSpliced(at, 0, ...whole)
      .map(one => `${one}\n`)
      .join(""),
  );
}

/** Show the file with other lines from marker to marker. */
async function showBlock(
  host: OperationHost,
  path: string,
  { begin, end }: { readonly begin: string; readonly end: string },
  lines: readonly string[],
): Promise<void> {
  if (!host.wantsDiff) return;
  const before = await textOf(host, path);
  const all = before.split("\n");
  const [first, last] = [all.findIndex(one => one.includes(begin)), all.findIndex(one => one.includes(end))];
  if (first >= 0 && last > first)
    host.showDiff(path, before, [...all.slice(0, first), ...lines, ...all.slice(last + 1)].join("\n"));
}
