/** Network devices, as `ip` and the flavours of `ifconfig` print them. @module */
import { sh } from "../../core/command.ts";
import { derivedFact, fact, type NoArguments } from "../../core/fact.ts";

/** An IPv4 address of a device. */
export interface Ipv4Address {
  /** The address, without its mask. */
  readonly address: string;
  /** How many bits of it are the network. */
  readonly maskBits: number;
  /** `255.255.255.0`. */
  readonly netmask: string;
  /** Broadcast address, where it has one. */
  readonly broadcast?: string;
}
/** An IPv6 address of a device. */
export interface Ipv6Address {
  /** The address, without its mask. */
  readonly address: string;
  /** How many bits of it are the network. */
  readonly maskBits: number;
}
/** A device's first address, and the others if it has more. */
export type FirstAddress<T> = T & { readonly additionalIps?: readonly T[] };

/** A network device. */
export interface NetworkDevice {
  /** Hardware address. */
  readonly ether?: string;
  /** Bytes in the largest packet. */
  readonly mtu?: number;
  /** Whether it is switched on. */
  readonly state: "UP" | "DOWN" | "UNKNOWN";
  /** IPv4 addresses. */
  readonly ipv4?: FirstAddress<Ipv4Address>;
  /** IPv6 addresses. */
  readonly ipv6?: FirstAddress<Ipv6Address>;
}

type Devices = Readonly<Record<string, NetworkDevice>>;

/** Network devices, by name. */
export const NetworkDevices = fact<NoArguments, Devices>({
  name: "hardware.NetworkDevices",
  command: () => sh`ip addr show 2> /dev/null || ifconfig -a`,
  parse: lines => Object.fromEntries(sections(lines).map(({ name, text }) => [name, device(text)])),
  empty: {},
});

/** IPv4 addresses of each device that has one. */
export const Ipv4Addrs = addresses("hardware.Ipv4Addrs", "ipv4");
/** IPv6 addresses of each device that has one. */
export const Ipv6Addrs = addresses("hardware.Ipv6Addrs", "ipv6");
/** First IPv4 address of each device that has one; `hardware.Ipv4Addrs` has them all. */
export const Ipv4Addresses = firstAddresses("hardware.Ipv4Addresses", "ipv4");
/** First IPv6 address of each device that has one; `hardware.Ipv6Addrs` has them all. */
export const Ipv6Addresses = firstAddresses("hardware.Ipv6Addresses", "ipv6");

function addresses(name: string, family: "ipv4" | "ipv6") {
  return derivedFact<NoArguments, Readonly<Record<string, readonly string[]>>, Devices>({
    name,
    from: NetworkDevices,
    derive: devices => listed(devices, family),
  });
}
function firstAddresses(name: string, family: "ipv4" | "ipv6") {
  return derivedFact<NoArguments, Readonly<Record<string, string>>, Devices>({
    name,
    from: NetworkDevices,
    derive: devices =>
      Object.fromEntries(Object.entries(listed(devices, family)).map(([name, [first = ""]]) => [name, first])),
  });
}
function listed(devices: Devices, family: "ipv4" | "ipv6"): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(devices).flatMap(([name, { [family]: first }]) =>
      first ? [[name, [first, ...(first.additionalIps ?? [])].map(({ address }) => address)]] : [],
    ),
  );
}

interface Section {
  readonly name: string;
  readonly text: string;
}

/** A device begins with `2: eth0: …` (ip), `eth0: … mtu …` (ifconfig) or `eth0  Link encap:…` (old ifconfig, busybox). */
function sections(lines: readonly string[]): readonly Section[] {
  const found: { name: string; text: string }[] = [];
  for (const line of lines.map(text => text.trim())) {
    const [, byIp, byIfconfig, old] = /^(?:\d+: ([^\s/:]+):|([^\s/:]+):.*mtu |(\S+)\s+Link encap:)/.exec(line) ?? [];
    const name = byIp ?? byIfconfig ?? old;
    const last = found.at(-1);
    if (name !== undefined) found.push({ name, text: line });
    else if (last) last.text += `\n${line}`;
  }
  return found;
}

const IPV4 = [
  /inet (?<address>[\d.]+)\/(?<mask>\d+)(?: metric \d+)?(?: brd (?<broadcast>[\d.]+))?/g,
  /inet (?<address>[\d.]+)\s+netmask\s+(?<mask>0x[\da-fA-F]+|[\d.]+)(?:\s+broadcast\s+(?<broadcast>[\d.]+))?/g,
  /inet addr:(?<address>[\d.]+)(?:\s+Bcast:(?<broadcast>[\d.]+))?\s+Mask:(?<mask>[\d.]+)/g,
];
const IPV6 = [
  /inet6\s+(?<address>[\da-fA-F:]+)\/(?<mask>\d+)/g,
  /inet6\s+(?<address>[\da-fA-F:]+)(?:%\S+)?\s+prefixlen\s+(?<mask>\d+)/g,
  /inet6 addr:\s*(?<address>[\da-fA-F:]+)\/(?<mask>\d+)/g,
];

interface Found {
  /** The address, without its mask. */
  readonly address: string;
  readonly mask: string;
  /** Broadcast address, where it has one. */
  readonly broadcast?: string;
}

function device(text: string): NetworkDevice {
  const ether = /(?:ether|HWaddr) ([\dA-Fa-f:]{17})/.exec(text)?.[1];
  const mtu = /mtu (\d+)|MTU:(\d+)/.exec(text);
  const ipv4 = firstAndOthers(matches(text, IPV4).map(ipv4Address));
  const ipv6 = firstAndOthers(matches(text, IPV6).map(({ address, mask }) => ({ address, maskBits: Number(mask) })));
  return {
    ...(ether && { ether }),
    ...(mtu && { mtu: Number(mtu[1] ?? mtu[2]) }),
    state: text.includes("UP") ? "UP" : text.includes("DOWN") ? "DOWN" : "UNKNOWN",
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
  };
}

/** What the first pattern finds that finds anything. */
function matches(text: string, patterns: readonly RegExp[]): Found[] {
  for (const pattern of patterns) {
    const found = [...text.matchAll(pattern)].map(({ groups: { address = "", mask = "", broadcast } = {} }) => ({
      address,
      mask,
      ...(broadcast && { broadcast }),
    }));
    if (found.length > 0) return found;
  }
  return [];
}

function firstAndOthers<T extends object>([first, ...others]: readonly T[]): FirstAddress<T> | undefined {
  return first && (others.length > 0 ? { ...first, additionalIps: others } : first);
}

function ipv4Address({ address, mask, broadcast }: Found): Ipv4Address {
  const octets = mask.includes(".")
    ? mask.split(".").map(Number)
    : mask.startsWith("0x")
      ? [2, 4, 6, 8].map(at => Number.parseInt(mask.slice(at, at + 2), 16))
      : octetsOf(Number(mask));
  const maskBits = octets.reduce((bits, octet) => bits + octet.toString(2).replaceAll("0", "").length, 0);
  return { address, maskBits, netmask: octets.join("."), ...(broadcast && { broadcast }) };
}

const octetsOf = (bits: number): number[] =>
  [0, 8, 16, 24].map(before => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - before))));
