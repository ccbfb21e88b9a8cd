/** Our commands and values beside a case's. @module */
import type { Shell, UploadSource } from "../../src/core/command.ts";
import { Secret, sh } from "../../src/core/command.ts";
import type { Command } from "../../src/core/steps.ts";
import { sameTokens } from "./tokens.ts";
import { isPlain, resultKey, snake } from "./translate.ts";

/** A command in the form that cases have; an upload with attributes is the upload and what pyinfra runs after it. */
export function encodeCommand(command: Command): readonly unknown[] {
  switch (command.kind) {
    case "shell":
      return [encodeShell(command)];
    case "upload": {
      const { user, group, mode } = command;
      const owner = user ? (group ? `${user}:${group}` : user) : group;
      return [
        ["upload", encodeSource(command.source), command.dest],
        ...(owner ? [encodeShell(sh`${user ? "chown" : "chgrp"} ${owner} ${command.dest}`)] : []),
        ...(mode ? [encodeShell(sh`chmod ${mode.replace(/^0(?=\d{3}$)/, "")} ${command.dest}`)] : []),
      ];
    }
    case "download":
      return [["download", command.src, command.dest]];
    case "rsync":
      return [["rsync", command.src, command.dest, command.flags]];
    case "function": {
      const args = [...(command.args ?? [])];
      const named = isPlain(args.at(-1)) ? args.pop() : {};
      return [[command.name, args, named]];
    }
    case "configured": {
      const args = Object.fromEntries(Object.entries(command.arguments).map(([name, value]) => [snake(name), value]));
      return encodeCommand(command.command).map(inner => ({ command: inner, ...args }));
    }
  }
}

function encodeShell(shell: Shell): unknown {
  const [wire, shown] = [shell.wire(), shell.toString()];
  return wire === shown ? wire : { raw: wire, masked: shown };
}

function encodeSource(source: UploadSource): string {
  if ("path" in source) return source.path;
  if (source.content instanceof Secret) return source.content.reveal();
  return typeof source.content === "string" ? source.content : new TextDecoder().decode(source.content);
}

/** Why two lists of commands differ, line by line, or `undefined`. */
export function commandsDiffer(expected: readonly unknown[], ours: readonly unknown[]): string | undefined {
  if (expected.length === ours.length && expected.every((command, index) => sameCommand(command, ours[index])))
    return undefined;
  const [theirs, mine] = [plumbingDropped(expected), plumbingDropped(ours)];
  if (
    theirs.length < expected.length &&
    mine.length < ours.length &&
    theirs.length === mine.length &&
    theirs.every((command, index) => sameCommand(command, mine[index]))
  )
    return undefined;
  const lines: string[] = [];
  for (let index = 0; index < Math.max(expected.length, ours.length); index++) {
    if (index < expected.length && index < ours.length && sameCommand(expected[index], ours[index]))
      lines.push(`    ${show(expected[index])}`);
    else {
      if (index < expected.length) lines.push(`  - ${show(expected[index])}`);
      if (index < ours.length) lines.push(`  + ${show(ours[index])}`);
    }
  }
  return lines.join("\n");
}

const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** pyinfra's own functions between commands (reconnecting after a reboot): that there are some counts, not how many. */
const plumbingDropped = (commands: readonly unknown[]): readonly unknown[] =>
  commands.filter(command => !isFunction(command) || isPlaceholder(command[0]));
const isFunction = (command: unknown): command is readonly [string, readonly unknown[], object] =>
  Array.isArray(command) && command.length === 3 && Array.isArray(command[1]) && isPlain(command[2]);
const isPlaceholder = (name: string): boolean => /^__\w+__$/.test(name);

function sameCommand(expected: unknown, ours: unknown): boolean {
  if (typeof expected === "string") {
    // Masking what pyinfra shows is no difference; showing what it masks is.
    const text = isPlain(ours) ? ours["raw"] : ours;
    return typeof text === "string" && sameShell(expected, text);
  }
  if (isPlain(expected) && "raw" in expected) {
    return (
      isPlain(ours) &&
      sameShell(String(expected["raw"]), String(ours["raw"])) &&
      sameShell(String(expected["masked"]), String(ours["masked"]))
    );
  }
  if (isPlain(expected) && "command" in expected) {
    if (!isPlain(ours) || !sameCommand(expected["command"], ours["command"])) return false;
    const { command: _, ...theirs } = expected;
    const { command: __, ...mine } = ours;
    return valuesDiffer(theirs, mine) === undefined;
  }
  // pyinfra's names of its inner functions say nothing; what the user's function is called with does.
  if (isFunction(expected) && !isPlaceholder(expected[0]))
    return isFunction(ours) && JSON.stringify(expected.slice(1)) === JSON.stringify(ours.slice(1));
  return JSON.stringify(expected) === JSON.stringify(ours);
}

export const sameShell = (expected: string, ours: string): boolean =>
  expected.trim() === ours.trim() || sameTokens(expected, ours);

/** Where two values differ, or `undefined`: keys in either spelling, dates as ISO text, sets in any order, nothing equal to absent. */
export function valuesDiffer(expected: unknown, ours: unknown, path = "$"): string | undefined {
  const differ = () => `  at ${path}\n  - ${JSON.stringify(expected)}\n  + ${JSON.stringify(plain(ours))}`;
  if (expected === null || expected === undefined) return ours === undefined || ours === null ? undefined : differ();
  if (ours instanceof Secret) return valuesDiffer(expected, ours.reveal(), path);
  if (ours instanceof Date) {
    if (typeof expected !== "string") return differ();
    const time = new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(expected) ? expected : `${expected}Z`).getTime();
    return time === ours.getTime() ? undefined : differ();
  }
  if (ours instanceof Set) return valuesDiffer(sorted(expected), sorted([...ours]), path);
  if (ours instanceof Map) return valuesDiffer(expected, Object.fromEntries(ours), path);
  if (Array.isArray(expected)) {
    // A tuple of theirs is a record of ours, and nothing where it holds nothing.
    if (isPlain(ours)) return valuesDiffer(expected, Object.values(ours), path);
    if (ours === undefined && expected.every(item => item === null)) return undefined;
    if (!Array.isArray(ours)) return differ();
    if (expected.length !== ours.length) return differ();
    return first(expected.map((item, index) => valuesDiffer(item, ours[index], `${path}[${index}]`)));
  }
  if (typeof expected === "object") {
    if (!isPlain(ours)) return differ();
    const theirs = Object.fromEntries(
      Object.entries(expected).map(([key, value]) => [key in ours ? key : resultKey(key), value]),
    );
    const keys = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
    return first(keys.map(key => valuesDiffer(theirs[key], ours[key], `${path}.${key}`)));
  }
  return expected === ours ? undefined : differ();
}

const first = (differences: readonly (string | undefined)[]): string | undefined =>
  differences.find(difference => difference !== undefined);
const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.toSorted() : value);
const plain = (value: unknown): unknown =>
  value instanceof Set ? [...value] : value instanceof Map ? Object.fromEntries(value) : (value ?? null);
