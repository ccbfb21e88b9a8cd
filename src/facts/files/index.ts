/** Files of a host. @module */
export { Block, blockMarkers, FileContents, FindInFile, Flags } from "./content.ts";
export { Md5File, Sha1File, Sha256File, Sha384File } from "./checksums.ts";
export { Directory, File, Link, Socket } from "./paths.ts";
export { FindDirectories, FindFiles, FindLinks } from "./find.ts";
export { SameFile } from "./paths.ts";
export { literalEre } from "../shared/regex.ts";
export type { BlockArguments, FindInFileArguments } from "./content.ts";
export type { FindArguments } from "./find.ts";
export type { PathArguments, SameFileArguments } from "./paths.ts";
export type { Absent, PathStat, PathState } from "../shared/stat.ts";
