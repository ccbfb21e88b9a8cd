/** File systems, volumes and snapshots of ZFS. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { ZfsDatasets, ZfsSnapshots } from "../facts/zfs.ts";
import { checkName } from "./shared/containers.ts";
import { notOption } from "./shared/options.ts";

interface CommonArguments {
  /** `false`: it must not be there; it is destroyed. Default true. */
  readonly present?: boolean;
  /** Properties that it must have, as ZFS names and prints them. */
  readonly properties?: Readonly<Record<string, string | number>>;
}

interface TreeArguments extends CommonArguments {
  /** Make missing datasets above it; with `present: false`, destroy those below it. Default false. */
  readonly recursive?: boolean;
}

/** Arguments of `zfs.dataset`. */
export interface DatasetArguments extends TreeArguments {
  /** Name, such as `tank/home`; with `@` it is a snapshot. */
  readonly datasetName: string;
  /** Reserve no space for a volume; default false. */
  readonly sparse?: boolean;
  /** Size, such as `32G`; makes it a volume. Default: a file system. */
  readonly volumeSize?: string | number;
}

/** Arguments of `zfs.filesystem`. */
export interface FilesystemArguments extends TreeArguments {
  /** Name, such as `tank/home`. */
  readonly fsName: string;
}

/** Arguments of `zfs.volume`. */
export interface VolumeArguments extends TreeArguments {
  /** Name, such as `tank/disk`. */
  readonly volumeName: string;
  /** Size, such as `32G`. That of a volume that is there is left as it is. */
  readonly size: string | number;
  /** Reserve no space; default false. */
  readonly sparse?: boolean;
}

/** Arguments of `zfs.snapshot`. */
export interface SnapshotArguments extends CommonArguments {
  /** Name, such as `tank/home@monday`. */
  readonly snapshotName: string;
  /** Take snapshots of everything below, too; default false. */
  readonly recursive?: boolean;
}

/**
 * Make, change or destroy a dataset of any kind.
 * @example zfs.dataset({ datasetName: "tank/srv", properties: { mountpoint: "/srv", compression: "lz4" } });
 */
export const dataset = operation<DatasetArguments>({
  name: "zfs.dataset",
  positional: ["datasetName"],
  async *steps(
    host,
    { datasetName: name, present = true, recursive = false, sparse = false, volumeSize, properties = {} },
  ) {
    checkName("zfs.dataset", "datasetName", name);
    const datasets = await host.getFact(ZfsDatasets);
    const found = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
    if (!present && found) return yield sh`zfs destroy ${[recursive && "-r", operand(name)]}`;
    if (present && !found) {
      const options = [
        ...assignments(properties).map(property => ["-o", property]),
        recursive && ["-p"],
        sparse && ["-s"],
        volumeSize !== undefined && ["-V", String(volumeSize)],
      ];
      return yield sh`zfs create ${[...options.filter(given => given !== false).sort((a, b) => compare(a.join(" "), b.join(" "))), operand(name)]}`;
    }
    const others = Object.fromEntries(
      Object.entries(properties).filter(([property, value]) => found?.[property] !== String(value)),
    );
    if (found && Object.keys(others).length > 0)
      yield sh`zfs set ${[...assignments(others).sort(compare), operand(name)]}`;
    else host.noop(`${name} is already ${present ? "present" : "absent"}`);
  },
});

/**
 * Make, change or destroy a file system.
 * @example zfs.filesystem({ fsName: "tank/home", recursive: true, properties: { compression: "lz4" } });
 */
export const filesystem = operation<FilesystemArguments>({
  name: "zfs.filesystem",
  positional: ["fsName"],
  steps: (host, { fsName, ...args }) => dataset.steps(host, { ...args, datasetName: fsName }),
});

/**
 * Make, change or destroy a volume.
 * @example zfs.volume({ volumeName: "tank/disk", size: "32G", sparse: true });
 */
export const volume = operation<VolumeArguments>({
  name: "zfs.volume",
  positional: ["volumeName", "size"],
  steps: (host, { volumeName, size, ...args }) =>
    dataset.steps(host, { ...args, datasetName: volumeName, volumeSize: size }),
});

/**
 * Take, change or destroy a snapshot.
 * @example zfs.snapshot({ snapshotName: "tank/home@monday", recursive: true });
 */
export const snapshot = operation<SnapshotArguments>({
  name: "zfs.snapshot",
  positional: ["snapshotName"],
  async *steps(host, { snapshotName: name, present = true, recursive = false, properties = {} }) {
    checkName("zfs.snapshot", "snapshotName", name);
    if (!present || Object.hasOwn(await host.getFact(ZfsSnapshots), name))
      return yield* dataset.steps(host, { datasetName: name, present, properties, recursive: recursive && !present });
    yield sh`zfs snap ${[...assignments(properties).flatMap(property => ["-o", property]), recursive && "-r", operand(name)]}`;
  },
});

const assignments = (properties: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(properties).map(([name, value]) => `${notOption("properties", name)}=${value}`);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
