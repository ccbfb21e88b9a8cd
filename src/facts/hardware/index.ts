/** Facts about the host's hardware. @module */
import { sh } from "../../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../../core/fact.ts";
import { firstLine, splitOnce, words } from "../shared/lines.ts";

export * from "./network.ts";

/** What `lscpu` says, by its own names; flags are a list. Absent without that program. */
export const CpuInfo = fact<NoArguments, Readonly<Record<string, string | readonly string[]>> | undefined>({
  name: "hardware.CpuInfo",
  requires: "lscpu",
  command: () => sh`LC_ALL=C lscpu`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [name, value] = (splitOnce(line, ":") ?? []).map(part => part.trim());
        return name === undefined || value === undefined ? [] : [[name, /flags/i.test(name) ? words(value) : value]];
      }),
    ),
  empty: undefined,
});

type CpusFact = CommandFact<NoArguments, number | undefined>;
const count = (lines: readonly string[]): number | undefined =>
  /^\d+$/.test(firstLine(lines)) ? Number(firstLine(lines)) : undefined;

/** Prints `missing` where there is no `getconf`: busybox has none. */
const GetconfTool = fact<NoArguments, string>({
  name: "hardware.GetconfTool",
  command: () => sh`command -v getconf >/dev/null || echo missing`,
  parse: firstLine,
  empty: "",
});

const CpusFromProc: CpusFact = fact({
  name: "hardware.Cpus",
  command: () => sh`grep -c ^processor /proc/cpuinfo 2>/dev/null || true`,
  parse: count,
  empty: undefined,
});

/** Number of processors that are online; absent when the host does not say. */
export const Cpus: CpusFact = fact({
  name: "hardware.Cpus",
  command: () => sh`getconf NPROCESSORS_ONLN 2> /dev/null || getconf _NPROCESSORS_ONLN`,
  parse: count,
  empty: undefined,
  variant: { by: GetconfTool, choose: kind => (kind === "missing" ? CpusFromProc : undefined) },
});

/** Memory in MiB; absent when the host does not say. */
export const Memory = fact<NoArguments, number | undefined>({
  name: "hardware.Memory",
  requires: "vmstat",
  command: () => sh`vmstat -s`,
  parse(lines) {
    const counters = new Map(
      lines.map(line => /^\s*(\d+)\s+(.*?)\s*$/.exec(line) ?? []).map(([, value, name]) => [name ?? "", Number(value)]),
    );
    const kib = counters.get("K total memory") ?? counters.get("total memory") ?? pagesKib(counters);
    return kib && Math.round(kib / 1024);
  },
  empty: undefined,
});

/** A file system as `df` counts it, in its blocks. */
export interface BlockDevice {
  /** All of it. */
  readonly blocks: string;
  /** Of that, in use. */
  readonly used: string;
  /** Of that, free for everybody. */
  readonly available: string;
  /** Without the percent sign. */
  readonly usedPercent: string;
  /** Where it is mounted. */
  readonly mount: string;
}

/** Mounted file systems, by device. */
export const BlockDevices = fact<NoArguments, Readonly<Record<string, BlockDevice>>>({
  name: "hardware.BlockDevices",
  command: () => sh`df`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        // macOS counts inodes too, before the mount point.
        const [, device, blocks, used, available, usedPercent, mount] =
          /^(\S+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\d+)%\s+(?:\d+\s+\d+\s+\d+%\s+)?(\/.*)$/.exec(line) ?? [];
        if (!device || device === "none" || !blocks || !used || !available || !usedPercent || !mount) return [];
        return [[device, { blocks, used, available, usedPercent, mount }]];
      }),
    ),
  empty: {},
});

/** The BSDs count pages; FreeBSD does not print their sum. */
function pagesKib(counters: ReadonlyMap<string, number>): number | undefined {
  const size = counters.get("bytes per page");
  const kinds = ["pages active", "pages inactive", "pages wired down", "pages free", "pages in the laundry queue"];
  const pages = counters.get("pages managed") ?? kinds.reduce((sum, kind) => sum + (counters.get(kind) ?? 0), 0);
  return size && pages ? (size * pages) / 1024 : undefined;
}
