/** Every option of the command line: one table for parsing, help and settings. @module */

/** `flag` is on or off, `list` may be given several times, `count` counts itself (`-vv`). */
export type OptionKind = "flag" | "text" | "number" | "list" | "count";

export type OptionGroup = "Run" | "Host" | "Escalation" | "SSH" | "Output" | "Other";

export interface OptionSpec {
  readonly kind: OptionKind;
  readonly group: OptionGroup;
  readonly description: string;
  /** What stands for the value in help. */
  readonly value?: string;
  readonly short?: string;
  readonly aliases?: readonly string[];
  /** The setting it overrides. */
  readonly setting?: string;
  /** The host data key it overrides. */
  readonly data?: string;
  /** Its value is never printed. */
  readonly secret?: true;
}

export const OPTIONS = {
  dry: { kind: "flag", group: "Run", description: "Stop after the proposed changes" },
  yes: { kind: "flag", short: "y", group: "Run", description: "Go ahead without asking" },
  diff: { kind: "flag", group: "Run", setting: "diff", description: "Show how files change" },
  parallel: { kind: "number", value: "N", group: "Run", setting: "parallel", description: "Hosts at once; 0 chooses" },
  serial: { kind: "flag", group: "Run", setting: "serial", description: "Host by host through all operations" },
  "no-wait": { kind: "flag", group: "Run", setting: "noWait", description: "Hosts do not wait for each other" },
  "fail-percent": {
    kind: "number",
    value: "N",
    group: "Run",
    setting: "failPercent",
    description: "Stop when more than N percent of hosts failed",
  },
  retry: {
    kind: "number",
    value: "N",
    group: "Run",
    setting: "retry",
    description: "Try failed operations N more times",
  },
  "retry-delay": {
    kind: "number",
    value: "SECONDS",
    group: "Run",
    setting: "retryDelay",
    description: "Wait between attempts",
  },
  limit: {
    kind: "list",
    value: "HOST",
    group: "Host",
    setting: "limit",
    description: "Only these hosts take part: a name, glob or group",
  },
  exclude: {
    kind: "list",
    value: "HOST",
    group: "Host",
    setting: "exclude",
    description: "These hosts take no part: a name, glob or group",
  },
  shard: {
    kind: "text",
    value: "I/N",
    group: "Host",
    description: "The I-th of N parts of these hosts, for N machines",
  },
  data: { kind: "list", value: "KEY=VALUE", group: "Host", description: "Host data that wins over all other" },
  "group-data": {
    kind: "list",
    value: "PATH",
    group: "Host",
    setting: "groupData",
    description: "More group data: a directory or file",
  },
  config: { kind: "text", value: "FILE", group: "Host", description: "Config file; default infra.config.ts" },
  env: { kind: "text", value: "NAME", group: "Host", description: "Use this $env layer of the config" },
  chdir: { kind: "text", value: "DIR", group: "Host", description: "Change to this directory first" },
  sudo: { kind: "flag", group: "Escalation", setting: "sudo", description: "Run everything through sudo" },
  "sudo-user": {
    kind: "text",
    value: "USER",
    group: "Escalation",
    setting: "sudoUser",
    description: "User to become with sudo",
  },
  "use-sudo-password": { kind: "flag", group: "Escalation", description: "Ask once, before connecting" },
  "use-sudo-login": {
    kind: "flag",
    group: "Escalation",
    setting: "useSudoLogin",
    description: "Start a login shell with sudo",
  },
  "su-user": {
    kind: "text",
    value: "USER",
    group: "Escalation",
    setting: "suUser",
    description: "User to become with su",
  },
  doas: { kind: "flag", group: "Escalation", setting: "doas", description: "Run everything through doas" },
  "doas-user": {
    kind: "text",
    value: "USER",
    group: "Escalation",
    setting: "doasUser",
    description: "User to become with doas",
  },
  dzdo: { kind: "flag", group: "Escalation", setting: "dzdo", description: "Run everything through dzdo" },
  "dzdo-user": {
    kind: "text",
    value: "USER",
    group: "Escalation",
    setting: "dzdoUser",
    description: "User to become with dzdo",
  },
  "shell-executable": {
    kind: "text",
    value: "SHELL",
    group: "Escalation",
    setting: "shell",
    description: "Shell for commands; none for none",
  },
  "ssh-user": {
    kind: "text",
    value: "USER",
    aliases: ["user"],
    group: "SSH",
    data: "sshUser",
    description: "User to log in as",
  },
  "ssh-port": {
    kind: "number",
    value: "PORT",
    aliases: ["port"],
    group: "SSH",
    data: "sshPort",
    description: "Port to connect to",
  },
  "ssh-key": {
    kind: "text",
    value: "FILE",
    aliases: ["key"],
    group: "SSH",
    data: "sshKey",
    description: "Private key",
  },
  "ssh-key-password": {
    kind: "text",
    value: "TEXT",
    aliases: ["key-password"],
    group: "SSH",
    data: "sshKeyPassword",
    secret: true,
    description: "Passphrase of the key",
  },
  "ssh-password": {
    kind: "text",
    value: "TEXT",
    aliases: ["password"],
    group: "SSH",
    data: "sshPassword",
    secret: true,
    description: "Password; others can see it in ps",
  },
  "ssh-password-prompt": { kind: "flag", group: "SSH", description: "Ask for the password once, before connecting" },
  "ssh-known-hosts": {
    kind: "text",
    value: "FILE",
    group: "SSH",
    data: "sshKnownHostsFile",
    description: "Known host keys",
  },
  "ssh-accept-new": { kind: "flag", group: "SSH", description: "Remember keys of unknown hosts without asking" },
  verbose: {
    kind: "count",
    short: "v",
    group: "Output",
    setting: "verbosity",
    description: "Show facts and reasons; -vv commands; -vvv output",
  },
  json: { kind: "flag", group: "Output", description: "Events as JSON lines on stdout" },
  plain: { kind: "flag", group: "Output", description: "Plain lines, as in a pipe" },
  "no-color": { kind: "flag", group: "Output", description: "No colors" },
  "debug-operations": { kind: "flag", group: "Output", description: "Print the operations as JSON and stop" },
  help: { kind: "flag", short: "h", group: "Other", description: "Help, also for a command" },
  version: { kind: "flag", group: "Other", description: "Version" },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionName = keyof typeof OPTIONS;

type Value<K extends OptionKind> = K extends "flag"
  ? boolean | undefined
  : K extends "list"
    ? readonly string[]
    : K extends "text"
      ? string | undefined
      : K extends "number"
        ? number | undefined
        : number;
/** Option values by name. */
export type OptionValues = { readonly [N in OptionName]: Value<(typeof OPTIONS)[N]["kind"]> };

/** Every spelling of an option after `--`. */
export const SPELLINGS: ReadonlyMap<string, OptionName> = new Map(
  (Object.entries(OPTIONS) as [OptionName, OptionSpec][]).flatMap(([name, spec]) =>
    [name, ...(spec.aliases ?? [])].map(spelling => [spelling, name] as const),
  ),
);
