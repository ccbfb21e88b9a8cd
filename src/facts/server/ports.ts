/** Listening ports, as `ss`, `netstat` or `sockstat` list them. @module */
import { sh } from "../../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../../core/fact.ts";
import { words } from "../shared/lines.ts";

/** A port that something listens on. */
export interface ListeningPort {
  /** Number of the port. */
  readonly port: number;
  /** Address it is bound to; `*`, `0.0.0.0` or `::` for all. */
  readonly ip: string;
  /** Of the two that have ports. */
  readonly protocol: "tcp" | "udp";
  /** Absent where we may not see it. */
  readonly process?: string;
  /** Process id; absent where we may not see it. */
  readonly pid?: number;
}

/** Who listens on a port. */
export interface PortOwner {
  /** Name of the program. */
  readonly process: string;
  /** Process id. */
  readonly pid: number;
}

/** Arguments of `server.Port`. */
export interface PortArguments {
  /** Number of the port. */
  readonly port: number;
  /** Default: `tcp`. */
  readonly protocol?: "tcp" | "udp";
}

/** Which tool the host has; `ss` is asked where there is none. */
const SocketTool = fact<NoArguments, string>({
  name: "server.SocketTool",
  command: () => sh`command -v ss || command -v sockstat || command -v netstat || true`,
  parse: lines => lines[0]!.replace(/^.*\//, ""),
  empty: "ss",
});

type PortFact = CommandFact<PortArguments, PortOwner | undefined>;
const owner = (listening: readonly ListeningPort[], port: number): PortOwner | undefined => {
  const { process, pid } = listening.find(one => one.port === port && one.pid !== undefined) ?? {};
  return process === undefined || pid === undefined ? undefined : { process, pid };
};

const PortBySockstat: PortFact = fact({
  name: "server.Port",
  command: ({ port, protocol = "tcp" }) => sh`sockstat -l -P ${protocol} -p ${port}`,
  parse: (lines, { port }) => owner(sockstat(lines), port),
  empty: undefined,
});
const PortByNetstat: PortFact = fact({
  name: "server.Port",
  command: ({ protocol = "tcp" }) => sh`netstat ${protocol === "tcp" ? "-ltnp" : "-lunp"} 2>/dev/null || true`,
  parse: (lines, { port }) => owner(netstat(lines), port),
  empty: undefined,
});

/** The process that listens on a port, the first of several; absent when none does, or when it belongs to somebody whose processes we may not see. */
export const Port: PortFact = fact({
  name: "server.Port",
  requires: "ss",
  command: ({ port, protocol = "tcp" }) => sh`ss ${protocol === "tcp" ? "-lptnH" : "-lpunH"} ${`src :${port}`}`,
  parse: (lines, { port, protocol = "tcp" }) => owner(ss(lines, protocol), port),
  empty: undefined,
  variant: {
    by: SocketTool,
    choose: tool => (tool === "sockstat" ? PortBySockstat : tool === "netstat" ? PortByNetstat : undefined),
  },
});

type PortsFact = CommandFact<NoArguments, readonly ListeningPort[]>;
const PortsBySockstat: PortsFact = fact({
  name: "server.Ports",
  command: () => sh`sockstat -l -P tcp,udp`,
  parse: sockstat,
  empty: [],
});
const PortsByNetstat: PortsFact = fact({
  name: "server.Ports",
  command: () => sh`netstat -ltunp 2>/dev/null || true`,
  parse: netstat,
  empty: [],
});

/** Every TCP and UDP port that something listens on. */
export const Ports: PortsFact = fact({
  name: "server.Ports",
  requires: "ss",
  command: () => sh`ss -lptunH`,
  parse: lines => ss(lines),
  empty: [],
  variant: {
    by: SocketTool,
    choose: tool => (tool === "sockstat" ? PortsBySockstat : tool === "netstat" ? PortsByNetstat : undefined),
  },
});

/** `LISTEN 0 511 [::]:443 [::]:* users:(("nginx",pid=1,fd=3))`, led by the protocol unless only one was asked for. */
function ss(lines: readonly string[], only?: "tcp" | "udp"): ListeningPort[] {
  return lines.flatMap(line => {
    const fields = words(line);
    const protocol = only ?? (fields.shift() === "udp" ? "udp" : "tcp");
    const [, process, pid] = /\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
    return listening(protocol, fields[3], process, pid);
  });
}

/** `tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 812/sshd`; without a state for UDP. */
function netstat(lines: readonly string[]): ListeningPort[] {
  return lines.flatMap(line => {
    const [protocol = "", , , address] = words(line);
    const [, pid, process] = / (\d+)\/(.+?)\s*$/.exec(line) ?? [];
    return protocol.startsWith("tcp") || protocol.startsWith("udp")
      ? listening(protocol.startsWith("tcp") ? "tcp" : "udp", address, process, pid)
      : [];
  });
}

/** `root sshd 812 3 tcp4 *:22 *:*`. */
function sockstat(lines: readonly string[]): ListeningPort[] {
  return lines.flatMap(line => {
    const [, process, pid, , protocol = "", address] = words(line);
    return protocol === "PROTO" ? [] : listening(protocol.startsWith("udp") ? "udp" : "tcp", address, process, pid);
  });
}

function listening(
  protocol: "tcp" | "udp",
  address: string | undefined,
  process: string | undefined,
  pid: string | undefined,
): ListeningPort[] {
  const [, ip, port] = /^(.*):(\d+)$/.exec(address ?? "") ?? [];
  if (ip === undefined) return [];
  const known = process !== undefined && /^\d+$/.test(pid ?? "");
  return [
    {
      port: Number(port),
      ip: ip.replace(/^\[|\]$/g, "").replace(/%.*/, ""),
      protocol,
      ...(known ? { process, pid: Number(pid) } : {}),
    },
  ];
}
