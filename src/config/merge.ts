/** One set of settings from all sources. @module */
import { createDefu } from "defu";
import { Secret } from "../core/command.ts";
import { type Config, DEFAULT_CONFIG } from "../core/config.ts";
import type { PartialSettings, Settings } from "./define.ts";
import { SETTINGS, type SettingKind } from "./schema.ts";

type Layer = Readonly<Record<string, unknown>>;

/** Settings over settings, first wins: maps are merged key by key at every depth, everything else is replaced. defu alone would join lists and pass over `null`. */
export const layered: (...layers: readonly Layer[]) => Record<string, unknown> = createDefu((target, key, value) => {
  const below: unknown = target[key];
  if (!isMap(value) || !isMap(below)) {
    target[key] = value;
    return true;
  }
  const nulls = Object.entries(value).filter(([, own]) => own === null);
  target[key] = { ...layered(value, below), ...Object.fromEntries(nulls) } as never;
  return true;
});

const isMap = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** Merge checked sources, highest precedence first. */
export function mergeSettings(sources: readonly PartialSettings[]): Settings {
  const merged = layered(...sources);
  const kinds = SETTINGS as Readonly<Record<string, SettingKind>>;
  const read = (key: string): unknown => {
    const value = merged[key];
    const kind = kinds[key];
    if (kind === "strings" || kind === "connectors") return value === undefined ? [] : [value].flat();
    if (kind === "data" || kind === "env") return value ?? {};
    return kind === "secret" && typeof value === "string" ? new Secret(value) : value;
  };
  const config = Object.fromEntries(
    Object.entries(DEFAULT_CONFIG).map(([key, fallback]) => [key, read(key) ?? fallback]),
  ) as unknown as Config;
  return {
    inventory: read("inventory") as string | undefined,
    groupData: read("groupData") as readonly string[],
    limit: read("limit") as readonly string[],
    exclude: read("exclude") as readonly string[],
    data: read("data") as Settings["data"],
    serial: read("serial") === true,
    noWait: read("noWait") === true,
    output: read("output") as Settings["output"],
    verbosity: (read("verbosity") as number | undefined) ?? 0,
    connectors: read("connectors") as Settings["connectors"],
    config,
  };
}
