/** Canonical host names: compared with `ssh -G`, which looks names up in a hosts file of its own. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Resolve } from "../../src/connectors/ssh/config/canonical.ts";
import { createConfigFiles, hostSettings } from "../../src/connectors/ssh/config/index.ts";
import { needRoot, needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
needRoot("A hosts file of ssh's own");
await needTools({ ssh: "openssh-client", unshare: "util-linux" });

/** Names that exist, and what they are aliases of. */
const NAMES: Readonly<Record<string, string>> = {
  "web.example.": "",
  "web.inner.example.": "",
  "db.example.": "db7.farm.example",
  "db.inner.example.": "elsewhere.test",
  "a.b.example.": "",
  "anchored.test.": "",
  local: "",
  alias: "db7.farm.example",
  "db7.farm.example": "",
  // As fully qualified as written: without a dot at the end it is asked for as it is.
  "full.name.example": "",
};
const resolve: Resolve = async (name, { wantsAlias }) => {
  const alias = NAMES[name];
  return alias === undefined ? undefined : { canonical: wantsAlias ? alias || name.replace(/\.$/, "") : undefined };
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsinfra-canonical-"));
  // The first name of a line is the canonical one.
  await Bun.write(
    join(directory, "hosts"),
    Object.entries(NAMES)
      .map(([name, alias], index) => `192.0.2.${index + 1} ${alias ? `${alias} ${name}` : name}\n`)
      .join(""),
  );
  await Bun.write(join(directory, "nsswitch"), "passwd: files\ngroup: files\nhosts: files\n");
});
afterAll(() => rm(directory, { recursive: true }));

const KEYS = ["hostname", "port", "user", "hostkeyalias", "proxyjump"] as const;
let count = 0;

async function file(text: string): Promise<string> {
  const path = join(directory, `config-${count++}`);
  await Bun.write(path, text);
  return path;
}
async function sshSays(path: string, host: string): Promise<string> {
  const mounts = 'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/nsswitch" /etc/nsswitch.conf && exec "$@"';
  const child = Bun.spawn(
    ["unshare", "-m", "--propagation", "private", "sh", "-c", mounts, directory, "ssh", "-G", "-F", path, "--", host],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [said, error, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (error.includes("mount")) throw new Error(error);
  if (exitCode !== 0) return "error";
  return KEYS.flatMap(key => new RegExp(`^${key} (.*)$`, "m").exec(said) ?? [])
    .filter((_, index) => index % 2 === 0)
    .join("\n");
}
async function weSay(path: string, host: string): Promise<string> {
  try {
    const surroundings = { home: "/nonexistent", user: "root", uid: 0, env: {} };
    const settings = await hostSettings(
      { host },
      {
        files: createConfigFiles(),
        surroundings,
        only: path,
        systemFile: "/nonexistent",
        succeeds: async () => false,
        resolve,
      },
    );
    const said = {
      hostname: settings.hostname,
      port: settings.port,
      user: settings.user,
      hostkeyalias: settings.hostKeyAlias,
      proxyjump: settings.proxyJump.join(","),
    };
    return KEYS.flatMap(key => (said[key] ? [`${key} ${said[key]}`] : [])).join("\n");
  } catch (error) {
    if ((error as { code?: string }).code !== "E_CONNECT") throw error;
    return "error";
  }
}
async function compare(text: string, host: string): Promise<string> {
  const path = await file(text);
  const ours = await weSay(path, host);
  expect(ours).toBe(await sshSays(path, host));
  return ours;
}

const ON = "CanonicalizeHostname yes\nCanonicalDomains nowhere.test inner.example example\n";
const CASES: readonly (readonly [why: string, text: string, host: string, expected?: string])[] = [
  ["the first domain that has the name", ON, "web", "hostname web.inner.example"],
  ["a name in capitals", ON, "WEB", "hostname web.inner.example"],
  [
    "a domain with capitals and a dot",
    "CanonicalizeHostname yes\nCanonicalDomains Example.",
    "web",
    "hostname web.example",
  ],
  ["switched off", "CanonicalDomains example", "web", "hostname web"],
  ["switched off in words", `CanonicalizeHostname no\n${ON}`, "web"],
  ["no domains", "CanonicalizeHostname yes", "web", "hostname web"],
  ["domains: none", "CanonicalizeHostname yes\nCanonicalDomains none", "web"],
  ["a name that is nowhere", ON, "ghost", "hostname ghost"],
  ["a name that is nowhere, which is not to be", `${ON}CanonicalizeFallbackLocal no`, "ghost", "error"],
  ["a name that is somewhere, which has to be", `${ON}CanonicalizeFallbackLocal no`, "web"],
  ["a dot is allowed", ON, "a.b", "hostname a.b.example"],
  ["no dot is allowed", `${ON}CanonicalizeMaxDots 0`, "a.b", "hostname a.b"],
  ["too many dots", ON, "full.name.example", "hostname full.name.example"],
  ["too many dots, and no falling back", `${ON}CanonicalizeFallbackLocal no`, "full.name.example"],
  ["an anchored name", ON, "anchored.test.", "hostname anchored.test"],
  ["an anchored name that is nowhere", ON, "ghost.test.", "hostname ghost.test."],
  ["an address", `${ON}CanonicalizeFallbackLocal no`, "192.0.2.1"],
  ["an IPv6 address", ON, "2001:db8::1"],
  ["HostName comes first", `${ON}HostName web`, "nickname", "hostname web.inner.example"],
  ["HostName with a token", `${ON}HostName %h.b`, "a", "hostname a.b.example"],
  ["through a jump host names are left alone", `${ON}ProxyJump bastion`, "web", "hostname web"],
  [
    "unless always",
    `CanonicalizeHostname always\nCanonicalDomains example\nProxyJump bastion`,
    "web",
    "hostname web.example",
  ],
  ["through a program names are left alone", `${ON}ProxyCommand nc %h %p`, "web", "hostname web"],
  ["ProxyJump none", `${ON}ProxyJump none`, "web"],
  ["ProxyCommand none", `${ON}ProxyCommand none`, "web", "hostname web.inner.example"],
  [
    "Match canonical",
    `${ON}Match canonical host web.inner.example\n User found\nMatch host web\n Port 7`,
    "web",
    "user found",
  ],
  ["Match canonical without canonical names", "Match canonical\n User found", "web"],
  ["Match not canonical", `${ON}Match !canonical\n User first\nMatch canonical\n Port 8`, "web"],
  ["Match canonical and all", `${ON}Match canonical all\n Port 9`, "web", "port 9"],
  ["Host blocks are read again", `${ON}Host *.inner.example\n User second\nHost web\n Port 3`, "web", "user second"],
  ["Match originalhost stays", `${ON}Match originalhost web canonical\n Port 5`, "web", "port 5"],
  [
    "HostName of the second reading does not count",
    `${ON}Host *.inner.example\n HostName other`,
    "web",
    "hostname web.inner.example",
  ],
  [
    "set in a Host block",
    `Host w*\n CanonicalizeHostname yes\nCanonicalDomains example`,
    "web",
    "hostname web.example",
  ],
  ["a permitted alias", `${ON}CanonicalizePermittedCNAMEs *.example:*.farm.example\nCanonicalDomains x`, "db", ""],
  [
    "an alias of a permitted kind",
    "CanonicalizeHostname yes\nCanonicalDomains example\nCanonicalizePermittedCNAMEs *.example:*.farm.example",
    "db",
    "hostname db7.farm.example",
  ],
  [
    "any alias",
    "CanonicalizeHostname yes\nCanonicalDomains example\nCanonicalizePermittedCNAMEs *",
    "db",
    "hostname db7.farm.example",
  ],
  [
    "an alias of another kind",
    "CanonicalizeHostname yes\nCanonicalDomains inner.example\nCanonicalizePermittedCNAMEs *.example:*.farm.example",
    "db",
    "hostname db.inner.example",
  ],
  [
    "several rules",
    "CanonicalizeHostname yes\nCanonicalDomains inner.example\nCanonicalizePermittedCNAMEs x:y *.inner.example,z:a,*.test",
    "db",
    "hostname elsewhere.test",
  ],
  [
    "aliases: none",
    "CanonicalizeHostname yes\nCanonicalDomains example\nCanonicalizePermittedCNAMEs none",
    "db",
    "hostname db.example",
  ],
  [
    "an alias of a name in no domain",
    "CanonicalizeHostname yes\nCanonicalDomains nowhere.test\nCanonicalizePermittedCNAMEs alias:*.example",
    "alias",
    "hostname db7.farm.example",
  ],
  ["an alias without canonical names", "CanonicalizePermittedCNAMEs alias:*.example", "alias", "hostname alias"],
  ["aliases of a name that is nowhere", "CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs *:*", "ghost", "error"],
  [
    "an alias behind a jump host",
    "CanonicalizeHostname always\nCanonicalizePermittedCNAMEs *:*\nProxyJump bastion",
    "alias",
  ],
  [
    "no alias behind a jump host",
    "CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs *:*\nProxyJump bastion",
    "alias",
  ],
  ["a rule without a colon", "CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs web", "web", "error"],
  ["a word that is none", "CanonicalizeHostname perhaps", "web", "error"],
  ["dots that are no number", "CanonicalizeHostname yes\nCanonicalizeMaxDots few", "web", "error"],
  ["a domain that is none", "CanonicalizeHostname yes\nCanonicalDomains a..b", "web", "error"],
];

describe("canonical names", () => {
  for (const [why, text, host, expected = ""] of CASES)
    test(`are what they are to ssh: ${why}`, async () => expect(await compare(text, host)).toContain(expected));

  test("in 60 generated configurations too", async () => {
    for (const [index, [lines, host]] of fc.sample(configuration, { numRuns: 60, seed: 20260402 }).entries()) {
      await compare(lines, host).catch(error => {
        throw new Error(`Configuration ${index}, host ${host}:\n${lines}\n${error.message}`);
      });
    }
  });
});

const line = fc.constantFrom(
  ...[
    "CanonicalDomains example",
    "CanonicalDomains inner.example example",
    "CanonicalDomains nowhere.test",
    "CanonicalizeMaxDots 0",
    "CanonicalizeMaxDots 2",
    "CanonicalizeFallbackLocal no",
  ],
  ...[
    "CanonicalizePermittedCNAMEs *:*",
    "CanonicalizePermittedCNAMEs *.example:*.farm.example",
    "HostName web",
    "HostName %h.b",
    "ProxyJump j",
    "ProxyCommand none",
    "User a",
    "Port 5",
  ],
);
const block = fc.constantFrom(
  "Host web",
  "Host *.example",
  "Host *",
  "Match canonical",
  "Match final",
  "Match !canonical",
  "Match host *.example",
  "Match canonical host web*",
  "Match all",
);
const configuration = fc.tuple(
  fc
    .tuple(
      fc.constantFrom("CanonicalizeHostname yes", "CanonicalizeHostname always", "CanonicalizeHostname no", ""),
      fc.array(fc.oneof({ weight: 3, arbitrary: line }, { weight: 1, arbitrary: block }), { maxLength: 10 }),
    )
    .map(([first, rest]) => `${[first, ...rest].join("\n")}\n`),
  fc.constantFrom(
    "web",
    "db",
    "a",
    "a.b",
    "alias",
    "local",
    "ghost",
    "full.name.example",
    "anchored.test.",
    "192.0.2.7",
  ),
);
