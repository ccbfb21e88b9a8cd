/** Facts whose command prints JSON. @module */
import type { Shell } from "../../core/command.ts";
import { type CommandFact, fact } from "../../core/fact.ts";

/** JSON that takes all lines. Throws `SyntaxError`. */
export function json<T>(lines: readonly string[]): T {
  return JSON.parse(lines.join("\n"));
}

/** JSON, one value a line. Throws `SyntaxError`. */
export function jsonLines<T>(lines: readonly string[]): readonly T[] {
  return lines.filter(line => line.trim() !== "").map(line => JSON.parse(line));
}

/** An object as a tool prints it: its keys and values are the tool's own. */
export type JsonRecord = Readonly<Record<string, unknown>>;

interface JsonFact<A extends object, T> {
  readonly requires: string;
  command(args: A): Shell;
  readonly empty: T;
}

/** A fact that is what its command prints. */
export const jsonFact = <A extends object, T>(name: string, definition: JsonFact<A, T>): CommandFact<A, T> =>
  fact<A, T>({ ...definition, name, parse: lines => json<T | null>(lines) ?? definition.empty });
