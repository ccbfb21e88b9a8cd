import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { IptablesRules } from "../../src/facts/iptables.ts";
import { UfwRules, UfwStatus } from "../../src/facts/ufw.ts";
import { iptables, ufw } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";

setDefaultTimeout(120_000);
let hosts: Hosts;
let host: RaisedHost;

beforeAll(async () => {
  hosts = await raiseHosts({ count: 2, packages: ["iptables", "ufw"] });
  host = hosts.hosts[0]!;
}, 300_000);
afterAll(() => hosts.down());

/** The rules of a chain, as the kernel has them. */
const rules = async (chain: string, { table = "filter", program = "iptables" } = {}): Promise<string[]> =>
  (await mustRun(host, `${program} -t ${table} -S ${chain}`)).split("\n").filter(line => line.startsWith("-A"));

test("iptables.chain adds, sets policies and removes", async () => {
  for (const version of [4, 6] as const) {
    const program = version === 4 ? "iptables" : "ip6tables";
    await applyTwice(iptables.chain, { chain: "MINE", version }, { host });
    expect(await mustRun(host, `${program} -S MINE`)).toBe("-N MINE\n");
    await applyTwice(iptables.chain, { chain: "FORWARD", policy: "DROP", version }, { host });
    expect(await mustRun(host, `${program} -S FORWARD`)).toBe("-P FORWARD DROP\n");
    await applyTwice(iptables.chain, { chain: "FORWARD", policy: "ACCEPT", version }, { host });
    await applyTwice(iptables.chain, { chain: "MINE", present: false, version }, { host });
    expect((await host.exec(`${program} -S MINE`)).exitCode).not.toBe(0);
  }
  await applyTwice(iptables.chain, { chain: "OTHER", table: "nat" }, { host });
  expect(await mustRun(host, "iptables -t nat -S OTHER")).toBe("-N OTHER\n");
});

/** Each way to write a rule, and what the kernel makes of it. */
const RULES = [
  [
    { jump: "ACCEPT", protocol: "TCP", destinationPort: 22, source: "10.1.2.3" },
    "-s 10.1.2.3/32 -p tcp -m tcp --dport 22 -j ACCEPT",
  ],
  [
    { jump: "DROP", notSource: "10.1.2.3/255.255.0.0", inInterface: "lo", sourcePort: "8000:8010", protocol: "udp" },
    "! -s 10.1.0.0/16 -i lo -p udp -m udp --sport 8000:8010 -j DROP",
  ],
  [
    { jump: "DROP", notProtocol: "udp", destination: "0.0.0.0/0", notInInterface: "eth9" },
    "! -i eth9 ! -p udp -j DROP",
  ],
  [{ jump: "LOG", logPrefix: 'it\'s $HOME "x" ' }, '-j LOG --log-prefix "it\\\'s $HOME \\"x\\" "'],
  [{ jump: "REJECT" }, "-j REJECT --reject-with icmp-port-unreachable"],
  [{ jump: "ACCEPT", protocol: "17" }, "-p udp -j ACCEPT"],
  [
    { jump: "ACCEPT", extras: "-m conntrack --ctstate ESTABLISHED,RELATED" },
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  ],
  [
    { jump: "ACCEPT", extras: ["-m", "comment", "--comment", "a 'b' $c; reboot"] },
    "-m comment --comment \"a \\'b\\' $c; reboot\" -j ACCEPT",
  ],
  [
    { jump: "ACCEPT", protocol: "tcp", extras: "-m multiport --dports 443,80 -m limit --limit 5/minute" },
    "-p tcp -m multiport --dports 443,80 -m limit --limit 5/min -j ACCEPT",
  ],
  [{ jump: "ACCEPT", protocol: "tcp", extras: "--syn" }, "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT"],
] as const;

test("iptables.rule adds and removes each rule once, however it is written", async () => {
  for (const [args, kernel] of RULES) {
    const wanted = { chain: "INPUT", ...args };
    await applyTwice(iptables.rule, wanted, { host });
    expect(await rules("INPUT")).toEqual([`-A INPUT ${kernel}`]);
    await applyTwice(iptables.rule, { ...wanted, present: false }, { host });
    expect(await rules("INPUT")).toEqual([]);
  }
});

test("iptables.rule puts rules first or last, in other tables and for IPv6", async () => {
  await applyTwice(iptables.rule, { chain: "OUTPUT", jump: "ACCEPT", destination: "10.0.0.1" }, { host });
  await applyTwice(
    iptables.rule,
    { chain: "OUTPUT", jump: "DROP", destination: "10.0.0.2", append: false, outInterface: "eth0" },
    { host },
  );
  expect(await rules("OUTPUT")).toEqual([
    "-A OUTPUT -d 10.0.0.2/32 -o eth0 -j DROP",
    "-A OUTPUT -d 10.0.0.1/32 -j ACCEPT",
  ]);

  const nat = { table: "nat", protocol: "tcp", destinationPort: 80 } as const;
  await applyTwice(
    iptables.rule,
    { ...nat, chain: "PREROUTING", jump: "DNAT", toDestination: "10.0.0.9:8080" },
    { host },
  );
  await applyTwice(iptables.rule, { ...nat, chain: "PREROUTING", jump: "REDIRECT", toPorts: 8080 }, { host });
  await applyTwice(
    iptables.rule,
    { table: "nat", chain: "POSTROUTING", jump: "SNAT", toSource: "10.0.0.7", notOutInterface: "lo" },
    { host },
  );
  expect(await rules("PREROUTING", { table: "nat" })).toEqual([
    "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9:8080",
    "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080",
  ]);
  expect(await rules("POSTROUTING", { table: "nat" })).toEqual(["-A POSTROUTING ! -o lo -j SNAT --to-source 10.0.0.7"]);

  const six = { chain: "INPUT", version: 6, source: "2001:DB8:0::1", protocol: "icmpv6", jump: "REJECT" } as const;
  await applyTwice(iptables.rule, six, { host });
  expect(await rules("INPUT", { program: "ip6tables" })).toEqual([
    "-A INPUT -s 2001:db8::1/128 -p ipv6-icmp -j REJECT --reject-with icmp6-port-unreachable",
  ]);
  await applyTwice(iptables.rule, { ...six, present: false }, { host });
  expect(await askFact(IptablesRules, { table: "nat" }, host)).toContainEqual({
    chain: "POSTROUTING",
    notOutInterface: "lo",
    jump: "SNAT",
    toSource: "10.0.0.7",
  });
});

test("a packet meets what iptables.rule says", async () => {
  const other = hosts.hosts[1]!;
  await mustRun(host, "iptables -F; iptables -t nat -F");
  const reach = async () => (await host.exec(`timeout 2 bash -c ': < /dev/tcp/${other.address}/22'`)).exitCode === 0;
  expect(await reach()).toBe(true);
  const refuse = { chain: "OUTPUT", jump: "REJECT", protocol: "tcp", destinationPort: 22, append: false };
  await apply(iptables.rule, refuse, { host });
  expect(await reach()).toBe(false);
  await apply(iptables.rule, { ...refuse, present: false }, { host });
  expect(await reach()).toBe(true);
});

test("ufw: on, off, policies and logging", async () => {
  const file = (name: string) => mustRun(host, `grep -h ${name}= /etc/default/ufw /etc/ufw/ufw.conf`);
  await applyTwice(ufw.default, { policy: "reject" }, { host });
  expect(await file("DEFAULT_INPUT_POLICY")).toBe('DEFAULT_INPUT_POLICY="REJECT"\n');
  await applyTwice(ufw.default, { policy: "allow", direction: "routed" }, { host });
  expect(await file("DEFAULT_FORWARD_POLICY")).toBe('DEFAULT_FORWARD_POLICY="ACCEPT"\n');
  await applyTwice(ufw.rule, { action: "allow", port: 22, proto: "tcp" }, { host });
  await applyTwice(ufw.service, {}, { host });
  expect(await mustRun(host, "ufw status verbose")).toContain("Default: reject (incoming), allow (outgoing)");
  expect((await apply(ufw.service, { reload: true }, { host })).commands).toEqual(["ufw reload"]);
  await applyTwice(ufw.default, { policy: "deny", direction: "outgoing" }, { host });
  expect(await mustRun(host, "ufw status verbose")).toContain("deny (outgoing)");
  for (const level of ["medium", false, "on"] as const) await applyTwice(ufw.logging, { level }, { host });
  expect(await mustRun(host, "ufw status verbose")).toContain("Logging: on (low)");
  expect(await askFact(UfwStatus, {}, host)).toEqual({
    active: true,
    logging: "low",
    default: { incoming: "reject", outgoing: "deny", routed: "allow" },
    newProfiles: "skip",
  });
  await applyTwice(ufw.service, { enabled: false }, { host });
  expect(await mustRun(host, "ufw status")).toBe("Status: inactive\n");
});

/** Each rule, and how ufw itself writes it. */
const UFW_RULES = [
  [{ action: "limit", port: 2222, proto: "TCP" }, "limit 2222/tcp"],
  [{ action: "allow", port: "443,80", proto: "tcp" }, "allow 80,443/tcp"],
  [{ action: "deny", fromIp: "10.1.2.3/8" }, "deny from 10.0.0.0/8"],
  [{ action: "allow", fromIp: "192.0.2.7/32", toIp: "any", port: 53 }, "allow from 192.0.2.7 to any port 53"],
  [
    { action: "allow", fromIp: "2001:DB8::0:1", port: 53, proto: "udp" },
    "allow from 2001:db8::1 to any port 53 proto udp",
  ],
  [{ action: "reject", direction: "out", interface: "eth3", toIp: "192.0.2.9" }, "reject out on eth3 to 192.0.2.9"],
  [{ action: "allow", direction: "in", interface: "eth1" }, "allow in on eth1"],
  [{ action: "deny", direction: "out", port: 25, proto: "tcp" }, "deny out 25/tcp"],
  [
    { action: "allow", direction: "route", interface: "eth0", port: 80, proto: "tcp" },
    "route allow in on eth0 to any port 80 proto tcp",
  ],
  [{ action: "allow", app: "Mail submission" }, "allow 'Mail submission'"],
  [{ action: "allow", app: "SSH", fromIp: "192.0.2.8" }, "allow from 192.0.2.8 to any app SSH"],
  [{ action: "allow", port: 81, log: true }, "allow log 81"],
  [{ action: "deny", fromIp: "192.0.2.10", log: "log-all" }, "deny log-all from 192.0.2.10"],
  [{ action: "allow", port: 82, comment: 'a "b" $c; reboot' }, "allow 82 comment 'a \"b\" $c; reboot'"],
] as const;

test("ufw.rule adds and removes each rule once, however it is written", async () => {
  await mustRun(host, "ufw --force reset");
  const added = async () => (await mustRun(host, "ufw show added")).split("\n").filter(line => line.startsWith("ufw "));
  for (const [args, written] of UFW_RULES) {
    await applyTwice(ufw.rule, args, { host });
    expect(await added()).toEqual([`ufw ${written}`]);
    await applyTwice(ufw.rule, { ...args, present: false }, { host });
    expect(await added()).toEqual([]);
  }
  await applyTwice(ufw.rule, { action: "allow", port: 83 }, { host });
  await applyTwice(ufw.rule, { action: "deny", port: 83, comment: "one" }, { host });
  await applyTwice(ufw.rule, { action: "deny", port: 83, comment: "two" }, { host });
  expect(await added()).toEqual(["ufw deny 83 comment 'two'"]);
  expect((await apply(ufw.rule, { action: "deny", port: 83 }, { host })).changed).toBe(false);
  expect(await askFact(UfwRules, {}, host)).toEqual([{ action: "deny", direction: "in", port: "83", comment: "two" }]);
  await applyTwice(ufw.rule, { action: "deny", port: 83, present: false }, { host });
  await expect(apply(ufw.rule, { action: "deny", port: 84, comment: "it's" }, { host })).rejects.toThrow(
    "no single quote",
  );
});
