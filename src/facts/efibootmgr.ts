/** Facts about UEFI boot settings. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";

/** Boot settings, under the names that `efibootmgr` prints; what is not set is absent. */
export interface BootSettings {
  /** Number of the entry for the next start alone. */
  readonly BootNext?: number;
  /** Number of the entry that was started. */
  readonly BootCurrent?: number;
  /** Seconds. */
  readonly Timeout?: number;
  /** Numbers of entries, the first is tried first. */
  readonly BootOrder: readonly number[];
  /** Entries by number. */
  readonly Entries: Readonly<Record<string, readonly [active: boolean, name: string]>>;
}

/** Boot settings of the firmware; absent on a host that did not start by UEFI. */
export const EFIBootMgr = fact<NoArguments, BootSettings | undefined>({
  name: "efibootmgr.EFIBootMgr",
  requires: "efibootmgr",
  command: () => sh`efibootmgr || true`,
  parse: lines =>
    Object.assign({ BootOrder: [], Entries: Object.fromEntries(lines.flatMap(bootEntry)) }, ...lines.map(setting)),
  empty: undefined,
});

const hex = (digits: string): number => Number.parseInt(digits, 16);

function setting(line: string): Partial<BootSettings> {
  const [, name, value = ""] = /^(BootNext|BootCurrent|Timeout|BootOrder): (.*)$/.exec(line) ?? [];
  if (name === "BootOrder")
    return {
      BootOrder: value
        .split(",")
        .filter(number => number !== "")
        .map(hex),
    };
  if (name === "Timeout") return { Timeout: Number.parseInt(value, 10) };
  if (name !== undefined) return { [name]: hex(value) };
  if (/^(?:Boot[\dA-F]{4}|Mirror|$)/i.test(line)) return {};
  throw new SyntaxError(`Not a boot setting: ${JSON.stringify(line)}`);
}

/** `Boot0001* Name`: an asterisk marks an active one. */
function bootEntry(line: string): [number: string, entry: readonly [boolean, string]][] {
  const [, number, mark, name] = /^Boot([\dA-Fa-f]{4})([* ]) ?(.*)$/.exec(line) ?? [];
  return number === undefined || name === undefined ? [] : [[String(hex(number)), [mark === "*", name]]];
}
