/** Mounted file systems. @module */
import { sh } from "../../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../../core/fact.ts";
import { Kernel } from "./system.ts";

/** A mounted file system. */
export interface Mount {
  /** What is mounted: a device, a share, or the name of a kind such as `tmpfs`. */
  readonly device: string;
  /** `ext4`, `tmpfs` … */
  readonly type: string;
  /** Options in force, those of the mount before those of the file system. */
  readonly options: readonly string[];
}

type MountFact = CommandFact<NoArguments, Readonly<Record<string, Mount>>>;

const FreebsdMounts: MountFact = fact({
  name: "server.Mounts",
  command: () => sh`mount -p --libxo json`,
  parse: lines => Object.fromEntries(fstabEntries(lines.join("\n")).map(freebsdMount)),
  empty: {},
});

/** Mounted file systems, by mount point; of several on one mount point, the one that is seen. */
export const Mounts: MountFact = fact({
  name: "server.Mounts",
  command: () => sh`cat /proc/self/mountinfo`,
  parse: lines => Object.fromEntries(lines.map(linuxMount)),
  empty: {},
  variant: { by: Kernel, choose: kernel => (kernel === "FreeBSD" ? FreebsdMounts : undefined) },
});

/** Fields: id, parent, device number, root, mount point, options, any number of tags, `-`, type, source, options of the file system. */
function linuxMount(line: string): [path: string, mount: Mount] {
  const fields = line.split(" ");
  const dash = fields.indexOf("-", 6);
  const [path, options, type, device, superOptions] = [
    fields[4],
    fields[5],
    fields[dash + 1],
    fields[dash + 2],
    fields[dash + 3],
  ];
  if (dash < 0 || !path || !options || !type || device === undefined || superOptions === undefined) {
    throw new SyntaxError(`Not a line of mountinfo: ${JSON.stringify(line)}`);
  }
  // Whether it is read-only is said twice, and the mount's own word counts.
  const others = superOptions.split(",").filter(option => option !== "ro" && option !== "rw");
  return [
    unescape(path),
    { device: unescape(device), type, options: [...options.split(","), ...others.map(unescape)] },
  ];
}

/** The kernel writes spaces, commas and the like as `\040`. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

interface FstabEntry {
  /** What is mounted: a device, a share, or the name of a kind such as `tmpfs`. */
  readonly device: string;
  readonly mntpoint: string;
  readonly fstype: string;
  readonly opts: string;
}
function fstabEntries(text: string): readonly FstabEntry[] {
  const answer: { readonly mount?: { readonly fstab?: readonly FstabEntry[] } } = JSON.parse(text);
  return answer.mount?.fstab ?? [];
}
const freebsdMount = ({ device, mntpoint, fstype, opts }: FstabEntry): [path: string, mount: Mount] => [
  mntpoint,
  { device, type: fstype, options: opts.split(",").map(option => option.trim()) },
];
