/** Checksums of files. @module */
import { joined, remotePath, sh } from "../../core/command.ts";
import { type CommandFact, fact } from "../../core/fact.ts";
import { answersInOrder } from "../shared/together.ts";
import type { PathArguments } from "./paths.ts";

/** MD5 of a file, in hex digits; absent when it cannot be read. */
export const Md5File = checksumFact("files.Md5File", 32, [["md5sum"], ["md5"]]);
/** SHA-1 of a file, in hex digits; absent when it cannot be read. */
export const Sha1File = checksumFact("files.Sha1File", 40, [["sha1sum"], ["shasum"], ["sha1"]]);
/** SHA-256 of a file, in hex digits; absent when it cannot be read. */
export const Sha256File = checksumFact("files.Sha256File", 64, [["sha256sum"], ["shasum", "-a", "256"], ["sha256"]]);
/** SHA-384 of a file, in hex digits; absent when it cannot be read. */
export const Sha384File = checksumFact("files.Sha384File", 96, [["sha384sum"], ["shasum", "-a", "384"], ["sha384"]]);

/** The first of the tools that the host has answers. */
function checksumFact(
  name: string,
  digits: number,
  tools: readonly (readonly string[])[],
): CommandFact<PathArguments, string | undefined> {
  // GNU: a backslash where the name has one, then the digits. BSD: the digits come last.
  const answer = new RegExp(`^\\\\?([0-9a-f]{${digits}})(?:\\s|$)|= ([0-9a-f]{${digits}})$`, "i");
  return fact<PathArguments, string | undefined>({
    name,
    together: {
      accepts: ({ path }) => path.startsWith("/") && !/[\n\\]/.test(path),
      // /dev/null is there on every host: without its line, the tool is not. Where nothing else is, no process is needed.
      command: all =>
        sh`if ${joined(
          " || ",
          all.map(({ path }) => sh`[ -e ${path} ]`),
        )}; then ${tools[0]!} /dev/null ${all.map(({ path }) => path)} 2>/dev/null; else echo '  /dev/null'; fi`,
      split: (lines, all) =>
        answersInOrder(
          lines,
          all,
          line => line.endsWith("  /dev/null"),
          (line, path) => (line.endsWith(`  ${path}`) ? line : undefined),
        ),
    },
    command({ path }) {
      const at = remotePath(path);
      return sh`test -e ${at} && ( ${joined(
        " || ",
        tools.map(tool => sh`${tool} ${at} 2> /dev/null`),
      )} ) || true`;
    },
    parse(lines) {
      const [, first, last] = answer.exec(lines.join("\n")) ?? [];
      const digest = first ?? last;
      if (digest === undefined) throw new SyntaxError(`Not a checksum of ${digits} hex digits: ${lines[0]}`);
      return digest.toLowerCase();
    },
    empty: undefined,
  });
}
