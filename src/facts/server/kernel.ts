/** The kernel and its limits. @module */
import { operand, sh } from "../../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../../core/fact.ts";
import { numberOr, splitOnce, words } from "../shared/lines.ts";

/** A loaded kernel module. */
export interface KernelModule {
  /** Bytes, as the kernel writes them. */
  readonly size: string;
  /** How many users it has. */
  readonly instances: number;
  /** `Live`, `Loading` or `Unloading`. */
  readonly state: string;
  /** Modules that use it; absent when none does. */
  readonly depends?: readonly string[];
}

/** Loaded kernel modules, by name. */
export const KernelModules = fact<NoArguments, Readonly<Record<string, KernelModule>>>({
  name: "server.KernelModules",
  command: () => sh`! test -f /proc/modules || cat /proc/modules`,
  parse: lines => Object.fromEntries(lines.map(kernelModule)),
  empty: {},
});

/** A value of a kernel setting: several values are a list, whole numbers are numbers. */
export type SysctlValue = string | number | readonly (string | number)[];

/** Arguments of `server.Sysctl`. */
export interface SysctlArguments {
  /** Names of the settings; default: all. */
  readonly keys?: readonly string[];
}

type SysctlFact = CommandFact<SysctlArguments, Readonly<Record<string, SysctlValue>>>;

/** What `sysctl` is; nothing where there is none. */
const SysctlTool = fact<NoArguments, string>({
  name: "server.SysctlTool",
  command: () => sh`readlink -f "$(command -v sysctl)" 2>/dev/null || true`,
  parse: lines => lines[0]!.replace(/^.*\//, ""),
  empty: "",
});

const SysctlAsFarAsReadable: SysctlFact = fact({
  name: "server.Sysctl",
  command: () => sh`sysctl -a 2>/dev/null || true`,
  parse: settings,
  empty: {},
});

/** Kernel settings, by name; those that the kernel does not have are left out. */
export const Sysctl: SysctlFact = fact({
  name: "server.Sysctl",
  command: ({ keys }) => (keys ? sh`sysctl ${keys.map(operand)} 2>/dev/null || true` : sh`sysctl -a`),
  parse: settings,
  empty: {},
  // That of busybox fails when there is one setting that nobody can read.
  variant: {
    by: SysctlTool,
    when: ({ keys }) => !keys,
    choose: tool => (tool === "sysctl" ? undefined : SysctlAsFarAsReadable),
  },
});

/** Read a setting's value as `server.Sysctl` does. */
export function sysctlValue(text: string): SysctlValue {
  if (!/^[\w\-.\s]+$/.test(text)) return text;
  const values = words(text).map(numberOr);
  return values.length === 1 ? values[0]! : values;
}

/** One line of `limits.conf`. */
export interface SecurityLimit {
  /** A user, `@group`, `*` or a range of ids. */
  readonly domain: string;
  /** `soft`, `hard` or `-` for both. */
  readonly limitType: string;
  /** What is limited: `nofile`, `nproc` … */
  readonly item: string;
  /** A number, or `unlimited`. */
  readonly value: string;
}

/** Prints `missing` where there is no `limits.conf`. */
const LimitsFile = fact<NoArguments, string>({
  name: "server.SecurityLimits",
  command: () => sh`test -e /etc/security/limits.conf || echo missing`,
  parse: lines => lines[0]!,
  empty: "",
});

const NoSecurityLimits = fact<NoArguments, readonly SecurityLimit[]>({
  name: "server.SecurityLimits",
  command: () => sh`true`,
  parse: () => [],
  empty: [],
});

/** Limits set in `/etc/security/limits.conf`, in its order. */
export const SecurityLimits = fact<NoArguments, readonly SecurityLimit[]>({
  name: "server.SecurityLimits",
  command: () => sh`cat /etc/security/limits.conf`,
  parse: lines =>
    lines
      .map(line => line.trim())
      .filter(line => line !== "" && !line.startsWith("#"))
      .map(securityLimit),
  empty: [],
  variant: { by: LimitsFile, choose: kind => (kind === "missing" ? NoSecurityLimits : undefined) },
});

function kernelModule(line: string): [name: string, module: KernelModule] {
  const [name, size, instances, depends, state] = line.split(" ");
  if (!name || !size || !instances || !depends || !state)
    throw new SyntaxError(`Not a line of /proc/modules: ${JSON.stringify(line)}`);
  const users = depends.split(",").filter(user => user !== "" && user !== "-");
  return [name, { size, instances: Number(instances), state, ...(users.length > 0 ? { depends: users } : {}) }];
}

function settings(lines: readonly string[]): Readonly<Record<string, SysctlValue>> {
  return Object.fromEntries(lines.map(setting).filter(found => found !== undefined));
}

function setting(line: string): [key: string, value: SysctlValue] | undefined {
  const [key, value] = (splitOnce(line, "=") ?? splitOnce(line, ":") ?? []).map(part => part.trim());
  return key && value ? [key, sysctlValue(value)] : undefined;
}

function securityLimit(line: string): SecurityLimit {
  const [domain, limitType, item, value] = words(line.replace(/\s#.*/, ""));
  if (!domain || !limitType || !item || !value) throw new SyntaxError(`Not a limit: ${JSON.stringify(line)}`);
  return { domain, limitType, item, value };
}
