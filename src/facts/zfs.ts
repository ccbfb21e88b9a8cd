/** Facts about ZFS. @module */
import { type Shell, sh } from "../core/command.ts";
import { type CommandFact, type DerivedFact, derivedFact, fact, type NoArguments } from "../core/fact.ts";

/** Properties, as ZFS names and prints them. */
export type ZfsProperties = Readonly<Record<string, string>>;

/** Properties of pools, by name. */
export const ZfsPools = properties("zfs.ZfsPools", "zpool", sh`zpool get -H all`);

/** Properties of file systems, volumes and snapshots, by name. */
export const ZfsDatasets = properties("zfs.ZfsDatasets", "zfs", sh`zfs get -H all`);

/** Properties of file systems, by name. */
export const ZfsFilesystems = ofType("zfs.ZfsFilesystems", "filesystem");

/** Properties of snapshots, by name. */
export const ZfsSnapshots = ofType("zfs.ZfsSnapshots", "snapshot");

/** Properties of volumes, by name. */
export const ZfsVolumes = ofType("zfs.ZfsVolumes", "volume");

function properties(
  name: string,
  requires: string,
  command: Shell,
): CommandFact<NoArguments, Readonly<Record<string, ZfsProperties>>> {
  return fact<NoArguments, Readonly<Record<string, ZfsProperties>>>({
    name,
    requires,
    command: () => command,
    parse(lines) {
      const found: Record<string, Record<string, string>> = {};
      for (const line of lines) {
        const [dataset, property, value] = line.split("\t");
        if (dataset === undefined || property === undefined || value === undefined)
          throw new SyntaxError(`Not a property: ${JSON.stringify(line)}`);
        (found[dataset] ??= {})[property] = value;
      }
      return found;
    },
    empty: {},
  });
}

function ofType(name: string, type: string): DerivedFact<NoArguments, Readonly<Record<string, ZfsProperties>>> {
  return derivedFact<NoArguments, Readonly<Record<string, ZfsProperties>>, Readonly<Record<string, ZfsProperties>>>({
    name,
    from: ZfsDatasets,
    derive: datasets => Object.fromEntries(Object.entries(datasets).filter(([, found]) => found["type"] === type)),
  });
}
