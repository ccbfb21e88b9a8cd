/** What `infra.config.ts` may say. @module */
import type { Connector } from "../core/connector.ts";
import type { Config } from "../core/config.ts";

/** Defaults for every run in this directory. The command line and `TSINFRA_*` variables win over them. */
export interface InfraConfig extends Partial<Config> {
  /** Inventory to use when the command line names none: what one would write there, a path being relative to this file. */
  readonly inventory?: string;
  /** More directories or files of group data, relative to this file; later ones win. */
  readonly groupData?: string | readonly string[];
  /** Hosts that take part: names, globs or groups. The deploy knows all others too. */
  readonly limit?: string | readonly string[];
  /** Hosts that take no part: names, globs or groups. The deploy knows them all the same. */
  readonly exclude?: string | readonly string[];
  /** Host data that everything else wins over, such as `{ sshUser: "ada" }`. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Host by host through all operations. */
  readonly serial?: boolean;
  /** Every host goes through its own operations without waiting for the others. */
  readonly noWait?: boolean;
  /** How to show a run; default: `pretty` on a terminal, else `plain`. */
  readonly output?: OutputFormat;
  /** How much to show: 1 adds facts and reasons, 2 commands, 3 their output; default 0. */
  readonly verbosity?: number;
  /** Ways to reach hosts beside the built-in ones: `@NAME/ADDRESS` is a host of the one called NAME. */
  readonly connectors?: readonly Connector[];
  /** Other config files or directories on this machine; this file wins over them. */
  readonly extends?: string | readonly string[];
  /** Settings for one environment, chosen by `--env` or `TSINFRA_ENV`. */
  readonly $env?: Readonly<Record<string, InfraConfig>>;
  /** Settings for `--env production`. */
  readonly $production?: InfraConfig;
  /** Settings for `--env development`. */
  readonly $development?: InfraConfig;
  /** Settings for `--env test`. */
  readonly $test?: InfraConfig;
}

/** A way to show a run. */
export type OutputFormat = "pretty" | "plain" | "json";

/** Type the settings of `infra.config.ts`. */
export const defineConfig = (config: InfraConfig): InfraConfig => config;

/** Settings beside those of `Config`, with lists as lists. */
export interface Settings {
  readonly inventory: string | undefined;
  readonly groupData: readonly string[];
  readonly limit: readonly string[];
  readonly exclude: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly serial: boolean;
  readonly noWait: boolean;
  readonly output: OutputFormat | undefined;
  readonly verbosity: number;
  readonly connectors: readonly Connector[];
  /** Settings that deploy files may change. */
  readonly config: Config;
}

/** Values by setting name, from one source: a file, the environment, the command line. */
export type PartialSettings = Readonly<Record<string, unknown>>;
