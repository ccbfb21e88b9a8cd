/** Debian's packages, package sources and their keys. @module */
export { deb, type DebArguments } from "./deb.ts";
export { key, type KeyArguments } from "./key.ts";
export { packages, type PackagesArguments } from "./packages.ts";
export { ppa, type PpaArguments, repo, type RepoArguments, sourcesFile, type SourcesFileArguments } from "./sources.ts";
export { distUpgrade, update, type UpdateArguments, upgrade, type UpgradeArguments } from "./update.ts";
