/** Flatpak applications. @module */
import { operand, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";

/** Arguments of `flatpak.FlatpakPackage`. */
export interface FlatpakPackageArguments {
  /** Id of the application: `org.videolan.VLC`. */
  readonly package: string;
}

/** What flatpak says about an application. */
export interface FlatpakInfo {
  readonly id?: string;
  /** `app/org.videolan.VLC/x86_64/stable`. */
  readonly ref?: string;
  readonly version?: string;
}

const FIELDS: readonly (readonly [keyof FlatpakInfo, RegExp])[] = [
  ["id", /^\s*ID:\s+(.*)/],
  ["ref", /^\s*Ref:\s+(.*)/],
  ["version", /^\s*Version:\s+([\w.-]+)/],
];

/** An application that is installed. Nothing is known of others. */
export const FlatpakPackage = fact<FlatpakPackageArguments, FlatpakInfo>({
  name: "flatpak.FlatpakPackage",
  requires: "flatpak",
  command: ({ package: name }) => sh`flatpak info ${operand(name)}`,
  parse: lines =>
    Object.fromEntries(
      FIELDS.flatMap(([key, pattern]) =>
        lines.flatMap(line => pattern.exec(line)?.[1] ?? []).map(value => [key, value]),
      ),
    ),
  empty: {},
});

/** Ids of the applications that are installed. */
export const FlatpakPackages = fact<NoArguments, readonly string[]>({
  name: "flatpak.FlatpakPackages",
  requires: "flatpak",
  command: () => sh`flatpak list --columns=application`,
  parse: lines => lines.map(line => line.trim()).filter(line => line !== "" && line !== "Application ID"),
  empty: [],
});
