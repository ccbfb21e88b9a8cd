/** Snaps. @module */
import { operand, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";

/** Arguments of `snap.SnapPackage`. */
export interface SnapPackageArguments {
  /** Name of the snap. */
  readonly package: string;
}

/** What snapd says about a snap. */
export interface SnapInfo {
  readonly name?: string;
  readonly publisher?: string;
  readonly "snap-id"?: string;
  /** Channel that it follows; absent if it is not installed. */
  readonly channel?: string;
  /** Absent if it is not installed. */
  readonly version?: string;
}

const FIELDS: readonly (readonly [keyof SnapInfo, RegExp])[] = [
  ["name", /^name:\s+(.*)/],
  ["publisher", /^publisher:\s+(.*)/],
  ["snap-id", /^snap-id:\s+(.*)/],
  ["channel", /^tracking:\s+([\w.-]+\/[\w.-]+)/],
  ["version", /^installed:\s+([\w.+~-]+)/],
];

/** A snap, installed or known to the store. Nothing is known of others. */
export const SnapPackage = fact<SnapPackageArguments, SnapInfo>({
  name: "snap.SnapPackage",
  requires: "snap",
  command: ({ package: name }) => sh`snap info ${operand(name)}`,
  parse: lines =>
    Object.fromEntries(
      FIELDS.flatMap(([key, pattern]) =>
        lines.flatMap(line => pattern.exec(line)?.[1] ?? []).map(value => [key, value]),
      ),
    ),
  empty: {},
});

/** Names of the snaps that are installed. */
export const SnapPackages = fact<NoArguments, readonly string[]>({
  name: "snap.SnapPackages",
  requires: "snap",
  command: () => sh`snap list`,
  // The first line is a heading.
  parse: lines => lines.slice(1).flatMap(line => line.split(/\s/)[0] || []),
  empty: [],
});
