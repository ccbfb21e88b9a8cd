/** What `check` finds. @module */
import type { CallSite } from "../../core/errors.ts";

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
