/** A run: its five stages. @module */
import type { Config } from "../core/config.ts";
import type { Connector, ConnectorContext } from "../core/connector.ts";
import type { LocalFiles } from "../core/host.ts";
import type { Emit } from "./events.ts";

/** A host before it is connected. */
export interface HostDefinition {
  readonly name: string;
  /** `ssh`, `local`, `docker` … */
  readonly connector: string;
  readonly address: string;
  /** In the order listed; later ones win. `all` is added. */
  readonly groups: readonly string[];
  /** Data layers, highest precedence first; `--data` before host data before groups before `all`. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

/** Wall and monotonic time, and waiting; a test brings its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `seconds`; rejects with the signal's reason when aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** What a run needs from outside. */
export interface RunSettings {
  readonly hosts: readonly HostDefinition[];
  readonly config: Config;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly connectorContext: ConnectorContext;
  readonly local: LocalFiles;
  readonly emit: Emit;
  readonly clock: Clock;
  /** Directory that relative paths start from. */
  readonly cwd: string;
  /** Host by host through all operations. */
  readonly serial: boolean;
  /** Every host goes through its own operations without waiting for the others. */
  readonly noWait: boolean;
  readonly signal: AbortSignal;
}
