/** A host that knows what a test tells it and nothing else, and keeps what an operation says to it. @module */
import type { Secret } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import type { Fact, FactCallArguments } from "../../src/core/fact.ts";
import type { LocalFiles, OperationHost } from "../../src/core/host.ts";
import { layeredData } from "../../src/engine/host-data.ts";

export type NamedFact = Fact<object, unknown>;
export type FactArguments = Readonly<Record<string, unknown>>;

/** What a test knows. */
export interface Known {
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly local: LocalFiles;
  readonly wantsDiff?: boolean;
  /** Answers a fact, or throws. */
  ask(fact: NamedFact, args: FactArguments): unknown;
  tempDir: string;
  /** Name of a temporary file. */
  tempFile(key: string | undefined, directory: string): string;
  readonly timestamp: string;
}

/** How an operation says that a file changes. */
export interface SaidDiff {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | Secret | undefined;
}

/** What an operation said beside its commands. */
export interface Said {
  readonly noops: readonly string[];
  readonly warnings: readonly string[];
  readonly diffs: readonly SaidDiff[];
}

/** A host for one run of one operation. */
export function fakeHost(known: Known): OperationHost & Said {
  const noops: string[] = [];
  const warnings: string[] = [];
  const diffs: SaidDiff[] = [];
  return {
    name: known.name ?? "host",
    groups: known.groups ?? ["all"],
    data: layeredData("host", [known.data ?? {}], () => {}),
    config: { ...DEFAULT_CONFIG, diff: known.wantsDiff ?? false },
    local: known.local,
    wantsDiff: known.wantsDiff ?? false,
    noops,
    warnings,
    diffs,
    async getFact<A extends object, T>(fact: Fact<A, T>, ...[args]: FactCallArguments<A>): Promise<T> {
      return known.ask(fact as unknown as NamedFact, { ...args }) as T;
    },
    noop: reason => void noops.push(reason),
    warn: message => void warnings.push(message),
    showDiff: (path, before, after) => void diffs.push({ path, before, after }),
    anticipate: () => {},
    tempDir: async () => known.tempDir,
    tempFile: async (key, directory = known.tempDir) => known.tempFile(key, directory),
    timestamp: () => known.timestamp,
  };
}
