/** Times of files. @module */
import { remotePath, sh, type Shell } from "../../core/command.ts";
import { LocalFileError, OperationValueError } from "../../core/errors.ts";
import { fact, type NoArguments } from "../../core/fact.ts";
import type { OperationHost } from "../../core/host.ts";
import { File, type PathStat } from "../../facts/files/index.ts";
import { Date as HostClock } from "../../facts/server/index.ts";

/**
 * A moment: a `Date`, seconds since 1970, text such as `2026-01-31T09:16:23+01:00` (without an offset: the host's zone),
 * the path of a file on the host that has it, or `true` for that of the local file.
 */
export type FileTime = Date | number | string | boolean;

/** Arguments of operations that give a file its times. */
export interface TimeArguments {
  /** When it is to have been read last. Reading it, as comparing does, changes this unless the file system is mounted `noatime` or `relatime`. Default: left as it is. */
  readonly atime?: FileTime;
  /** When it is to have been written last; default: left as it is. */
  readonly mtime?: FileTime;
}

/** Commands that give a file the wanted times; those that `found` has already, to the second, need none. */
export async function timeCommands(
  host: OperationHost,
  path: string,
  times: TimeArguments,
  localPath: string | undefined,
  found?: PathStat,
): Promise<readonly Shell[]> {
  const commands: Shell[] = [];
  // The modification time first: setting it must not undo the other.
  for (const field of ["mtime", "atime"] as const) {
    const time = times[field];
    if (time === undefined || time === false) continue;
    const micros = await moment(host, field, time, localPath);
    if (found && hasTime(found, field, micros)) continue;
    commands.push(touch(path, field, { micros, isBusybox: await host.getFact(TouchIsBusybox) }));
  }
  return commands;
}

/** The moment in microseconds since 1970. Throws `OperationValueError` for what says no time. */
async function moment(
  host: OperationHost,
  field: keyof TimeArguments,
  time: FileTime,
  localPath: string | undefined,
): Promise<number> {
  if (time instanceof Date) return time.getTime() * 1000;
  if (typeof time === "number") return Math.round(time * MICRO);
  if (typeof time === "boolean") {
    const local = localPath === undefined ? undefined : await host.local.stat(localPath);
    if (!local) throw new LocalFileError(`No local file to take the \`${field}\` of`);
    return local[field].getTime() * 1000;
  }
  const [, date, clock = "00:00", second = "00", fraction = "", offset] = ISO.exec(time) ?? [];
  if (date !== undefined) {
    const ms = Date.parse(`${date}T${clock}:${second}Z`);
    if (Number.isNaN(ms)) throw new OperationValueError(`\`${field}\` is "${time}": there is no such time`);
    const ahead = offset === undefined ? (await host.getFact(HostClock))?.offsetMinutes : minutes(offset);
    if (ahead === undefined) host.warn(`The host does not say its time zone: "${time}" is taken as UTC`);
    return (ms - (ahead ?? 0) * 60_000) * 1000 + Number(fraction.padEnd(6, "0"));
  }
  if (/^\d+(\.\d+)?$/.test(time)) return Math.round(Number(time) * MICRO);
  const found = await host.getFact(File, { path: time });
  const there = found.type === "absent" ? undefined : found[field];
  if (!there)
    throw new OperationValueError(
      `\`${field}\` is "${time}", which is neither a time nor a file of the host that has one`,
    );
  return there.getTime() * 1000;
}
const MICRO = 1_000_000;
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

const minutes = (offset: string): number =>
  offset === "Z" ? 0 : (offset.startsWith("-") ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2)));

/** Whether a file has this time, to the second. */
function hasTime(found: PathStat, field: keyof TimeArguments, wanted: number): boolean {
  const there = found[field];
  if (!there) return false;
  const micros = there.getTime() * 1000;
  return Math.abs(micros - wanted) < MICRO && Math.floor(micros / MICRO) === Math.floor(wanted / MICRO);
}

/** Give a file a time. */
function touch(
  path: string,
  field: keyof TimeArguments,
  { micros, isBusybox }: { readonly micros: number; readonly isBusybox: boolean },
): Shell {
  const fraction = ((micros % MICRO) + MICRO) % MICRO;
  const whole = new Date((micros - fraction) / 1000).toISOString().slice(0, 19);
  const flag = field === "mtime" ? "-m" : "-a";
  if (isBusybox) return sh`TZ=UTC touch ${flag} -d ${whole.replace("T", " ")} ${remotePath(path)}`;
  return sh`touch ${flag} -d ${`${whole}${fraction ? `.${String(fraction).padStart(6, "0")}` : ""}Z`} ${remotePath(path)}`;
}

/** Busybox takes no zone and no fraction. */
const TouchIsBusybox = fact<NoArguments, boolean>({
  name: "files.TouchIsBusybox",
  command: () => sh`touch --help 2>&1 | grep -i busybox || true`,
  parse: () => true,
  empty: false,
});
