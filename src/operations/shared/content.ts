/** Content of files: what is to be uploaded, and what the host has. @module */
import { checksum, type ChecksumAlgorithm } from "../../core/checksum.ts";
import { Secret, type UploadSource } from "../../core/command.ts";
import type { Fact } from "../../core/fact.ts";
import type { OperationHost } from "../../core/host.ts";
import {
  File,
  FileContents,
  Md5File,
  type PathArguments,
  type PathState,
  Sha1File,
  Sha256File,
} from "../../facts/files/index.ts";
import { dirname, joinPath } from "./paths.ts";

/** Checksums that can be compared, in the order in which hosts are asked for them. */
const CHECKSUMS: readonly (readonly [Fact<PathArguments, string | undefined>, ChecksumAlgorithm])[] = [
  [Sha1File, "sha1"],
  [Md5File, "md5"],
  [Sha256File, "sha256"],
];

/** What bringing content to a path will ask, all at once. */
export function anticipateUpload(host: OperationHost, path: string): void {
  host.anticipate(File, { path });
  host.anticipate(File, { path: dirname(path) });
  host.anticipate(Sha1File, { path });
}

/** Whether a file of the host has this content; false when the host has no tool that could tell. */
export async function hasContent(host: OperationHost, path: string, source: UploadSource): Promise<boolean> {
  for (const [fact, algorithm] of CHECKSUMS) {
    const there = await host.getFact(fact, { path });
    if (there === undefined) continue;
    return (
      there ===
      ("path" in source ? await host.local.checksum(source.path, algorithm) : checksum(source.content, algorithm))
    );
  }
  return false;
}

/** Whether two files of the host have the same content; false when the host has no tool that could tell. */
export async function sameContent(host: OperationHost, one: string, other: string): Promise<boolean> {
  for (const [fact] of CHECKSUMS) {
    const [first, second] = await Promise.all([host.getFact(fact, { path: one }), host.getFact(fact, { path: other })]);
    if (first !== undefined && second !== undefined) return first === second;
  }
  return false;
}

/** Follow a symbolic link to what it leads to: a file that replaced a link would cut it. */
export async function followLinks(
  host: OperationHost,
  path: string,
  found: PathState,
): Promise<{ readonly path: string; readonly found: PathState }> {
  let at = { path, found };
  for (let step = 0; step < MAX_LINKS && at.found.type === "link" && at.found.linkTarget; step++) {
    const { linkTarget } = at.found;
    const next = linkTarget.startsWith("/") ? linkTarget : joinPath(dirname(at.path), linkTarget);
    at = { path: next, found: await host.getFact(File, { path: next }) };
  }
  return at;
}
const MAX_LINKS = 40;

/** Text of a file as its lines say it, ending in a newline; empty for an empty file. The file must be there. */
export async function textOf(host: OperationHost, path: string): Promise<string> {
  const lines = await host.getFact(FileContents, { path });
  return lines ? `${lines.join("\n")}\n` : "";
}

/** Show how an upload changes a file, if diffs are wanted. */
export async function showUpload(
  host: OperationHost,
  path: string,
  source: UploadSource,
  found: PathState,
): Promise<void> {
  if (!host.wantsDiff) return;
  const content = "path" in source ? await host.local.read(source.path) : source.content;
  if (content instanceof Secret) return host.showDiff(path, undefined, content);
  const after = typeof content === "string" ? content : decoded(content);
  if (after === undefined)
    return host.showDiff(
      path,
      found.type === "absent" ? undefined : "Other content\n",
      `${content.length} bytes that are no text\n`,
    );
  host.showDiff(path, found.type === "absent" ? undefined : withEnding(await textOf(host, path), after), after);
}

/** Lines do not tell whether the last one ended in a newline: as long as more than that differs, it is taken to end as it will. */
function withEnding(before: string, after: string): string {
  if (after.endsWith("\n")) return before === after ? before.slice(0, -1) : before;
  return before.slice(0, -1) === after ? before : before.slice(0, -1);
}

function decoded(content: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
