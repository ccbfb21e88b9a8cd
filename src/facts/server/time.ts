/** The host's clock, zone and age. @module */
import { sh } from "../../core/command.ts";
import { fact, type NoArguments } from "../../core/fact.ts";
import { firstLine } from "../shared/lines.ts";
import { type HostDate, parseHostDate } from "./host-date.ts";

/** The date, time and zone of the host. Absent when the host does not say: the control machine's clock never stands in for it. */
export const Date = fact<NoArguments, HostDate | undefined>({
  name: "server.Date",
  command: () => sh`date +'%Y-%m-%dT%H:%M:%S%z'`,
  parse: lines => parseHostDate(firstLine(lines)),
  empty: undefined,
});

/** Name of the time zone: `Europe/Amsterdam`; `UTC` where none is set. */
export const Timezone = fact<NoArguments, string>({
  name: "server.Timezone",
  // Not `readlink -f`: many zones are links to others, and the name that was set is wanted.
  command: () => sh`readlink /etc/localtime || cat /etc/timezone 2>/dev/null || true`,
  parse: lines =>
    firstLine(lines)
      .replace(/^.*\/zoneinfo\//, "")
      .replace(/^(?:posix|right)\//, ""),
  empty: "UTC",
});

/** Seconds since the host started; absent when it does not say. */
export const Uptime = fact<NoArguments, number | undefined>({
  name: "server.Uptime",
  command: () => sh`cut -d. -f1 /proc/uptime 2>/dev/null || { date +%s && sysctl -n kern.boottime; }`,
  parse(lines) {
    // The BSDs say when they started, as a number or as `{ sec = 1700000000, usec = 0 } …`.
    const [now, started] = [Number(lines[0]), Number(/sec = (\d+)/.exec(lines[1] ?? "")?.[1] ?? lines[1] ?? 0)];
    if (!Number.isInteger(now) || !Number.isInteger(started))
      throw new SyntaxError(`Not an uptime: ${JSON.stringify(lines.join(" "))}`);
    return now - started;
  },
  empty: undefined,
});
