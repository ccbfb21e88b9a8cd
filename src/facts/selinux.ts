/** Facts about SELinux. @module */
import { operand, remotePath, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { firstLine, words } from "./shared/lines.ts";

/** A security context; what it does not have is absent. */
export interface SelinuxContext {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  /** Sensitivity and categories: `s0:c0.c1023`. */
  readonly level?: string;
}

/** Arguments of `selinux.SEBoolean`. */
export interface SEBooleanArguments {
  /** Name of the boolean. */
  readonly boolean: string;
}

/** Whether a boolean is `on` or `off` now; empty without SELinux's tools. */
export const SEBoolean = fact<SEBooleanArguments, string>({
  name: "selinux.SEBoolean",
  requires: "getsebool",
  command: ({ boolean }) => sh`getsebool ${operand(boolean)}`,
  parse: lines => firstLine(lines).split(" --> ")[1] ?? "",
  empty: "",
});

/** Arguments of `selinux.FileContext`. */
export interface FileContextArguments {
  /** Path on the host. */
  readonly path: string;
}

/** Context of what is at a path; absent when nothing is, or when it has none. */
export const FileContext = fact<FileContextArguments, SelinuxContext | undefined>({
  name: "selinux.FileContext",
  command: ({ path }) => sh`stat -c %C ${remotePath(path)} || exit 0`,
  parse: lines => context(firstLine(lines)),
  empty: undefined,
});

/** Arguments of `selinux.FileContextMapping`. */
export interface FileContextMappingArguments {
  /** The rule's regular expression for paths, as it was given to `semanage`. */
  readonly target: string;
}

/** Context that a rule gives to the paths it is for; empty when there is no such rule. */
export const FileContextMapping = fact<FileContextMappingArguments, SelinuxContext>({
  name: "selinux.FileContextMapping",
  requires: "semanage",
  // Thousands of rules: the host looks for the text, which is no pattern here, and `semanage` may fail without being a "no".
  command: ({ target }) =>
    sh`rules=$(semanage fcontext -n -l) && { printf '%s\\n' "$rules" | grep -F -e ${target} || true; }`,
  parse: (lines, { target }) =>
    lines
      .filter(line => line.startsWith(`${target} `))
      .map(line => context(words(line).at(-1) ?? ""))
      .findLast(found => found !== undefined) ?? {},
  empty: {},
});

/** `user:role:type:level`; a level may have colons of its own. */
function context(text: string): SelinuxContext | undefined {
  const [, user, role, type, level] = /^(\w+):(\w+):(\w+)(?::(\S+))?$/.exec(text) ?? [];
  if (user === undefined || role === undefined || type === undefined) return undefined;
  return { user, role, type, ...(level === undefined ? {} : { level }) };
}

/** Types of ports, by protocol and then by number. Ranges are taken apart, and ports that only have the type of all the rest are left out. */
export const SEPorts = fact<NoArguments, Readonly<Record<string, Readonly<Record<string, string>>>>>({
  name: "selinux.SEPorts",
  requires: "semanage",
  command: () => sh`semanage port -ln`,
  parse(lines) {
    const protocols: Record<string, Record<string, string>> = {};
    for (const line of lines) {
      const [, type, protocol, ports] = /^(\w+)\s+(\w+)\s+([\d\-,\s]+)$/.exec(line) ?? [];
      if (type === undefined || protocol === undefined || ports === undefined || type === "unreserved_port_t") continue;
      const types = (protocols[protocol] ??= {});
      for (const range of ports.split(",")) {
        const [first = 0, last = first] = range.split("-").map(Number);
        for (let port = first; port <= last; port++) types[port] = type;
      }
    }
    return protocols;
  },
  empty: {},
});

/** A protocol that has ports with types. */
export type SelinuxProtocol = "tcp" | "udp" | "sctp" | "dccp";

/** Arguments of `selinux.SEPort`. */
export interface SEPortArguments {
  /** The port's protocol. */
  readonly protocol: SelinuxProtocol;
  /** The port's number. */
  readonly port: number;
}

/** Type of one port; empty when it only has the type of the range it is in. Needs `sepolicy`. */
export const SEPort = fact<SEPortArguments, string>({
  name: "selinux.SEPort",
  requires: "sepolicy",
  command: ({ protocol, port }) => sh`(sepolicy network -p ${port} 2>/dev/null || true) | grep ${protocol}`,
  // The narrowest definition comes first, and the range last: one line alone is the range.
  parse: lines => (lines.length > 1 ? (firstLine(lines).split(" ")[2] ?? "") : ""),
  empty: "",
});
