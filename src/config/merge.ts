/** One set of settings from all sources. @module */
import { Secret } from "../core/command.ts";
import { type Config, DEFAULT_CONFIG } from "../core/config.ts";
import type { PartialSettings, Settings } from "./define.ts";
import { SETTINGS, type SettingKind } from "./schema.ts";

/** Merge checked sources, highest precedence first. `data` and `env` are merged key by key; everything else is replaced. */
export function mergeSettings(sources: readonly PartialSettings[]): Settings {
  const value = (key: string): unknown => sources.find(source => source[key] !== undefined)?.[key];
  const map = (key: string): Record<string, unknown> =>
    Object.assign({}, ...sources.map(source => source[key]).reverse());
  const kinds = SETTINGS as Readonly<Record<string, SettingKind>>;
  const read = (key: string): unknown => {
    const kind = kinds[key];
    if (kind === "data" || kind === "env") return map(key);
    const found = value(key);
    if (kind === "strings" || kind === "connectors") return found === undefined ? [] : [found].flat();
    return kind === "secret" && typeof found === "string" ? new Secret(found) : found;
  };
  const config = Object.fromEntries(
    Object.entries(DEFAULT_CONFIG).map(([key, fallback]) => [key, read(key) ?? fallback]),
  ) as unknown as Config;
  return {
    inventory: read("inventory") as string | undefined,
    groupData: read("groupData") as readonly string[],
    limit: read("limit") as readonly string[],
    exclude: read("exclude") as readonly string[],
    data: map("data"),
    serial: read("serial") === true,
    noWait: read("noWait") === true,
    output: read("output") as Settings["output"],
    verbosity: (read("verbosity") as number | undefined) ?? 0,
    connectors: read("connectors") as Settings["connectors"],
    config,
  };
}
