/** What `check` finds. @module */
import { readFileSync } from "node:fs";
import { type CallSite, TsinfraError } from "../../core/errors.ts";
import { placeIn } from "./syntax.ts";

/** A mistake in a user's file, as an error that a run would give. */
export interface Finding {
  readonly at: CallSite;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** By file, then by place, each said once. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const keys = new Set<string>();
  return findings
    .filter(({ at, code, message }) => {
      const key = JSON.stringify([at.file, at.line, at.column, code, message]);
      return !keys.has(key) && keys.add(key);
    })
    .toSorted((a, b) => compare(a.at.file, b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** An error for people is a finding of its own, at `at` if it has no place. */
export async function toldAs(findings: Finding[], at: CallSite, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    findings.push(findingOf(error, at));
  }
}

/** An error for people as a finding, at `at` if it has no place. Throws any other. */
export function findingOf(error: unknown, at: CallSite): Finding {
  if (!(error instanceof TsinfraError)) throw error;
  const { code, message, hint } = error;
  return { at: error.at ?? at, code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Where keys stand in a file, from a place on: each time one is asked for, its next place. */
export function placesIn(file: string, { line } = { line: 1 }): (key: string) => CallSite {
  const text = readFileSync(file, "utf8");
  const start = text.split("\n", line - 1).join("\n").length;
  const from = new Map<string, number>();
  return key => {
    const pattern = new RegExp(`(?<![\\w$-])["']?${key.replace(/\W/g, "\\$&")}["']?\\s*[:=]`, "g");
    pattern.lastIndex = from.get(key) ?? start;
    const match = pattern.exec(text);
    if (match) from.set(key, pattern.lastIndex);
    return { file, ...placeIn(text, match?.index ?? 0) };
  };
}
