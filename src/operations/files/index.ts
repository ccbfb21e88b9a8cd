/** Files, directories and links of hosts. @module */
export { block, type BlockArguments } from "./block.ts";
export { copy, type CopyArguments } from "./copy.ts";
export { directory, type DirectoryArguments } from "./directory.ts";
export { download, type DownloadArguments } from "./download.ts";
export { file, type FileArguments } from "./file.ts";
export { flags, type FlagsArguments } from "./flags.ts";
export { get, type GetArguments } from "./get.ts";
export { line, type LineArguments } from "./line.ts";
export { link, type LinkArguments } from "./link.ts";
export { move, type MoveArguments } from "./move.ts";
export { put, type PutArguments } from "./put.ts";
export { replace, type ReplaceArguments } from "./replace.ts";
export { rsync, type RsyncArguments } from "./rsync.ts";
export { sync, type SyncArguments } from "./sync.ts";
export { template, type TemplateArguments } from "./template.ts";
export { unarchive, type UnarchiveArguments } from "./unarchive.ts";
