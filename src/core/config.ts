/** Settings of a run and their defaults. @module */
import type { Secret } from "./command.ts";

/** Settings of a run. Deploy files may change them for the operations that follow, all but the read-only ones, which are the whole run's; each host has its own copy per file. */
export interface Config {
  /** Default of `_sudo`. */
  sudo: boolean;
  sudoUser: string | undefined;
  sudoPassword: string | Secret | undefined;
  useSudoLogin: boolean;
  preserveSudoEnv: boolean;
  suUser: string | undefined;
  suPassword: string | Secret | undefined;
  useSuLogin: boolean;
  preserveSuEnv: boolean;
  suShell: string | undefined;
  doas: boolean;
  doasUser: string | undefined;
  dzdo: boolean;
  dzdoUser: string | undefined;
  /** Default of `_shellExecutable`; `false` runs commands without a shell. */
  shell: string | false;
  /** Environment variables for every command; `_env` is merged over them. */
  env: Readonly<Record<string, string | number | Secret>>;
  /** Names of the control machine's environment variables that every command gets; `env` wins over them. */
  inheritEnv: readonly string[];
  ignoreErrors: boolean;
  /** Default of `_retries`. */
  retry: number;
  /** Default of `_retryDelay`, in seconds. */
  retryDelay: number;
  /** The hosts' temporary directory; default: `$TMPDIR` of the host, else `/tmp`. */
  tempDir: string | undefined;
  /** Show unified diffs of the files that change. */
  diff: boolean;
  /** How many hosts are worked on at once; `0` chooses. */
  readonly parallel: number;
  /** Percentage of hosts that may fail before the run stops; default: no limit. */
  readonly failPercent: number | undefined;
  /** Seconds a connection may take to be made. */
  readonly connectTimeout: number;
  /** Seconds that the answer of a fact stays good while nothing runs on its host. */
  factMaxAge: number;
  /** Seconds that a host may take to answer a fact; `_timeout`, of the question or of the operation that asks, wins. `0`: no limit. */
  factTimeout: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_CONFIG: Readonly<Config> = {
  sudo: false,
  sudoUser: undefined,
  sudoPassword: undefined,
  useSudoLogin: false,
  preserveSudoEnv: false,
  suUser: undefined,
  suPassword: undefined,
  useSuLogin: false,
  preserveSuEnv: false,
  suShell: undefined,
  doas: false,
  doasUser: undefined,
  dzdo: false,
  dzdoUser: undefined,
  shell: "sh",
  env: {},
  inheritEnv: [],
  ignoreErrors: false,
  retry: 0,
  retryDelay: 5,
  tempDir: undefined,
  diff: false,
  parallel: 0,
  failPercent: undefined,
  connectTimeout: 10,
  factMaxAge: 60,
  factTimeout: 300,
};

/** Settings of the whole run, which no deploy file changes, and how the command line sets them. */
export const WHOLE_RUN: Readonly<Partial<Record<keyof Config, string>>> = {
  parallel: "in infra.config.ts, or with --parallel",
  failPercent: "in infra.config.ts, or with --fail-percent",
  connectTimeout: "in infra.config.ts",
};
