/** The cases: one JSON object a line, as `FORMAT.md` of the conformance data describes them. @module */
import { readFile } from "node:fs/promises";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One entry of the facts that an operation case gives. */
export interface GivenFact {
  readonly fact: string;
  readonly key: string | null;
  /** Every parameter, snake_case. */
  readonly args: JsonObject;
  /** Only those that differ from the parameter's default, camelCase. */
  readonly tsArgs: JsonObject;
  readonly value: Json;
  readonly stale_key?: boolean;
  readonly legacy?: boolean;
  readonly empty_mapping?: boolean;
}

interface Bound {
  readonly named: JsonObject;
  readonly varArgs?: readonly Json[];
  readonly varKwargs?: JsonObject;
}

interface CaseBase {
  readonly id: string;
  readonly module: string;
  readonly name: string;
  readonly x_bound: Bound;
  readonly x_tags: readonly string[];
}

export interface OperationCase extends CaseBase {
  readonly kind: "operation";
  readonly commands?: readonly Json[];
  readonly noop_description?: string;
  readonly exception?: { readonly name?: string; readonly names?: readonly string[]; readonly message: string };
  readonly local_files?: LocalDirectory;
  readonly x_facts: readonly GivenFact[];
  readonly x_observed: { readonly falsy_empty_sites?: readonly string[] };
}

export interface LocalDirectory {
  readonly files?: JsonObject;
  readonly dirs?: { readonly [name: string]: LocalDirectory };
}

export interface FactCase extends CaseBase {
  readonly kind: "fact";
  readonly command: string | { readonly raw: string; readonly masked: string };
  readonly requires_command?: string;
  readonly output: readonly string[] | string | null;
  readonly fact: Json;
  readonly x_observed: {
    readonly requires_command?: string | null;
    readonly py_types?: { readonly set?: readonly string[] };
  };
}

export type Case = OperationCase | FactCase;

/** How far a case's expectation may be departed from. */
export interface Deviation {
  readonly id: string;
  readonly category: string;
  readonly tolerance: "none" | "tokens" | "semantic" | "adapt" | "skip";
}

/** An expectation of ours in place of a case's. */
export interface Own {
  readonly id: string;
  readonly reason: string;
  readonly commands?: readonly Json[];
  readonly noop_description?: string;
  readonly exception?: OperationCase["exception"];
  readonly command?: FactCase["command"];
  readonly fact?: Json;
}

export async function readLines<T>(file: string): Promise<T[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as T];
    } catch (error) {
      throw new Error(`${file}:${index + 1}: ${error}`);
    }
  });
}
