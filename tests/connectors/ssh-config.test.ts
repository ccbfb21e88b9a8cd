/** The configuration means here what it means to ssh: compared with `ssh -G`, case by case. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import {
  createConfigFiles,
  hostSettings,
  type HostQuery,
  type Sources,
} from "../../src/connectors/ssh/config/index.ts";
import { localUser } from "../../src/connectors/shared/local-user.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ ssh: "openssh-client" });

const { name: username, uid } = await localUser();
const me = { username, uid, homedir: homedir() };
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsinfra-ssh-config-"));
});
afterAll(() => rm(directory, { recursive: true }));

const sources = (only: string): Sources => ({
  files: createConfigFiles(),
  surroundings: { home: me.homedir, user: me.username, uid: me.uid, env: process.env },
  only,
  systemFile: "/nonexistent",
  resolve: async () => undefined,
  succeeds: async command =>
    (await Bun.spawn(["/bin/sh", "-c", command], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited) === 0,
});

/** The settings in the words of `ssh -G`; `error` where ssh refuses the file. */
type Said = Readonly<Record<string, string>> | "error";

async function sshSays(file: string, { host, user, port }: HostQuery): Promise<Said> {
  const child = Bun.spawn(
    ["ssh", "-G", "-F", file, ...(user ? ["-l", user] : []), ...(port ? ["-p", `${port}`] : []), "--", host],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const lines = (await child.stdout.text()).trim().split("\n");
  if ((await child.exited) !== 0) return "error";
  const said: Record<string, string> = {};
  for (const line of lines) {
    const [, keyword = "", value = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
    said[keyword] = said[keyword] === undefined ? value : `${said[keyword]} ${value}`;
  }
  return {
    user: said.user ?? "",
    hostname: said.hostname ?? "",
    port: said.port ?? "",
    // ssh -G shows these before it expands them; tokens in them have a test of their own.
    identityfile: (said.identityfile ?? "")
      .replace(/(^| )none\b/g, "")
      .trim()
      .replaceAll("~/", `${me.homedir}/`),
    certificatefile: (said.certificatefile ?? "").replaceAll("~/", `${me.homedir}/`),
    userknownhostsfile: said.userknownhostsfile ?? "",
    globalknownhostsfile: said.globalknownhostsfile ?? "",
    stricthostkeychecking: said.stricthostkeychecking ?? "",
    identitiesonly: said.identitiesonly ?? "",
    identityagent: said.identityagent ?? "",
    proxyjump: said.proxyjump ?? "",
    proxycommand: said.proxycommand ?? "",
    connecttimeout: said.connecttimeout ?? "",
    // Debian's ssh asks for signs of life in batch mode; the original does not.
    serveraliveinterval:
      said.batchmode === "yes" && said.serveraliveinterval === "300" ? "0" : (said.serveraliveinterval ?? ""),
    serveralivecountmax: said.serveralivecountmax ?? "",
    addressfamily: said.addressfamily ?? "",
    bindaddress: said.bindaddress ?? "",
    forwardagent: said.forwardagent ?? "",
    hostkeyalias: said.hostkeyalias ?? "",
    hashknownhosts: said.hashknownhosts ?? "",
    compression: said.compression ?? "",
    batchmode: said.batchmode ?? "",
    numberofpasswordprompts: said.numberofpasswordprompts ?? "",
    pubkeyauthentication: said.pubkeyauthentication ?? "",
    passwordauthentication: said.passwordauthentication ?? "",
    kbdinteractiveauthentication: said.kbdinteractiveauthentication ?? "",
    preferredauthentications: said.preferredauthentications ?? "",
  };
}

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"]
  .map(name => join(me.homedir, ".ssh", name))
  .join(" ");

async function weSay(file: string, question: HostQuery): Promise<Said> {
  const yes = (flag: boolean) => (flag ? "yes" : "no");
  try {
    const settings = await hostSettings(question, sources(file));
    return {
      user: settings.user,
      hostname: settings.hostname,
      port: `${settings.port}`,
      identityfile: settings.identityFiles ? settings.identityFiles.map(({ path }) => path).join(" ") : DEFAULT_KEYS,
      certificatefile: settings.certificateFiles.map(({ path }) => path).join(" "),
      userknownhostsfile: settings.userKnownHostsFiles.join(" "),
      globalknownhostsfile: settings.globalKnownHostsFiles.join(" "),
      stricthostkeychecking: { yes: "true", no: "false", ask: "ask", "accept-new": "accept-new" }[
        settings.strictHostKeyChecking
      ],
      identitiesonly: yes(settings.identitiesOnly),
      identityagent: settings.identityAgent ?? "",
      proxyjump: settings.proxyJump.join(","),
      proxycommand: settings.proxyCommand ?? "",
      connecttimeout: `${settings.connectTimeout ?? "none"}`,
      serveraliveinterval: `${settings.serverAliveInterval ?? 0}`,
      serveralivecountmax: `${settings.serverAliveCountMax ?? 3}`,
      addressfamily: { 0: "any", 4: "inet", 6: "inet6" }[settings.addressFamily],
      bindaddress: settings.bindAddress ?? "",
      forwardagent: yes(settings.forwardAgent),
      hostkeyalias: settings.hostKeyAlias ?? "",
      hashknownhosts: yes(settings.hashKnownHosts),
      compression: yes(settings.compression),
      batchmode: yes(settings.batchMode),
      numberofpasswordprompts: `${settings.passwordPrompts}`,
      pubkeyauthentication: settings.pubkeyAuthentication ? "true" : "false",
      passwordauthentication: yes(settings.passwordAuthentication),
      kbdinteractiveauthentication: yes(settings.keyboardInteractive),
      preferredauthentications: settings.preferredAuthentications?.join(",") ?? "",
    };
  } catch (error) {
    if ((error as { code?: string }).code !== "E_CONNECT") throw error;
    return "error";
  }
}

let count = 0;
async function compare(text: string, question: HostQuery): Promise<void> {
  const base = join(directory, `${count++}`);
  const [main = "", ...others] = text.split(/^--- (.*)\n/m);
  const file = join(base, "config");
  for (let index = 0; index < others.length; index += 2)
    await put(join(base, others[index] ?? ""), others[index + 1] ?? "");
  await put(file, main.replaceAll("@DIR@", base));
  expect(await weSay(file, question)).toEqual(await sshSays(file, question));
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Each a configuration, the question, and what is special about it. */
const CASES: readonly (readonly [why: string, text: string, host?: string, more?: Partial<HostQuery>])[] = [
  ["nothing at all", ""],
  ["comments and empty lines", "# Host web\n\n   # Port 3\n\t\nPort 22\n"],
  ["an equals sign", "Port=2201\nUser = ada\nHostName= x.example\nCompression  =yes"],
  ["two equals signs", "User==ada"],
  ["keywords in any case", "pOrT 2202\nUSER Ada\nhostname WEB.Example"],
  ["tabs and trailing blanks", "\tPort\t2203  \t\n  User ada \r\n"],
  ["the first value counts", "Port 1001\nPort 1002\nUser a\nUser b"],
  ["a host block", "Host web\n Port 1003\nHost other\n Port 1004\n"],
  ["a wildcard", "Host w*\n User wild\nHost *\n User all", "web"],
  ["a question mark", "Host we?\n User one\nHost web-?\n User two", "web-1"],
  ["a negation before", "Host !web-9 web-*\n User a\nHost *\n User b", "web-9"],
  ["a negation after", "Host web-* !web-9\n User a\nHost *\n User b", "web-9"],
  ["a negation that does not hit", "Host web-* !web-9\n User a\nHost *\n User b", "web-8"],
  ["only a negation", "Host !web-9\n User a\nHost *\n User b", "web-8"],
  ["several patterns", "Host a b web c\n User found", "web"],
  ["a quoted pattern", "Host \"web\" 'db'\n User found", "db"],
  ["host patterns know upper case", "Host WEB\n User loud\nHost web\n User quiet", "WEB"],
  ["a host name in upper case", "", "WEB.Example"],
  ["HostName with %h", "HostName %h.example.com", "web"],
  ["HostName with %%", "HostName a%%b"],
  ["HostName with an unknown token", "HostName %p.example.com"],
  ["Host looks at what was typed, not at HostName", "Host web\n HostName db\nHost db\n User wrong\n", "web"],
  [
    "identity files add up",
    "IdentityFile ~/.ssh/one\nIdentityFile /two\nHost web\n IdentityFile ~/three\nHost no\n IdentityFile /four",
    "web",
  ],
  ["an identity file named twice", "IdentityFile /one\nIdentityFile /two\nIdentityFile /one"],
  ["a quoted identity file", 'IdentityFile "/path with/blanks"\nIdentityFile /with\\ blank'],
  ["certificates", "CertificateFile ~/a-cert.pub\nCertificateFile /b-cert.pub"],
  ["a comment after a value", "User ada # the first\nPort 2204 #x"],
  ["a hash inside a word", "User ada#lovelace"],
  ["an escaped quote", 'User a\\"b'],
  ["a quote that is not closed", 'User "ada'],
  ["no argument", "Port"],
  ["no argument but an equals sign", "Port ="],
  ["a port that is none", "Port eleven"],
  ["a port beyond", "Port 70000"],
  ["a flag that is none", "IdentitiesOnly maybe"],
  ["flags as true and false", "IdentitiesOnly true\nHashKnownHosts yes"],
  ["Compression is yes or no and nothing else", "Compression false"],
  ["user given", "User config", "web", { user: "given" }],
  ["port given", "Port 1", "web", { port: 2205 }],
  ["times", "ServerAliveInterval 1m30s\nConnectTimeout 2h"],
  ["a time without unit", "ServerAliveInterval 15\nServerAliveCountMax 7"],
  ["a bad time", "ConnectTimeout 5x"],
  ["known hosts", "UserKnownHostsFile ~/a %d/b /c"],
  ["known hosts none", "UserKnownHostsFile /dev/null\nGlobalKnownHostsFile /g1 /g2"],
  ["known hosts by tokens", "UserKnownHostsFile /kh/%h-%p-%r-%n", "web", { user: "u", port: 9 }],
  ["known hosts by environment", "UserKnownHostsFile ${HOME}/kh"],
  ["strict: yes", "StrictHostKeyChecking yes"],
  ["strict: off", "StrictHostKeyChecking off"],
  ["strict: accept-new", "StrictHostKeyChecking accept-new"],
  ["strict: nonsense", "StrictHostKeyChecking often"],
  ["a jump", "ProxyJump bastion"],
  ["a jump with user and port", "ProxyJump ada@bastion:2206"],
  ["two jumps", "ProxyJump a,b@c:3"],
  ["no jump", "Host web\n ProxyJump none\nHost *\n ProxyJump bastion", "web"],
  ["jump before command", "ProxyJump a\nProxyCommand nc %h %p"],
  ["command before jump", "ProxyCommand nc x 22\nProxyJump a"],
  ["command none before jump", "ProxyCommand none\nProxyJump a"],
  ["an agent", "IdentityAgent ~/agent.sock"],
  ["an agent: none", "IdentityAgent none"],
  ["address families", "AddressFamily inet6\nBindAddress 127.0.0.1"],
  ["a bad address family", "AddressFamily ipx"],
  [
    "authentication",
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPreferredAuthentications publickey,password\nNumberOfPasswordPrompts 1\nBatchMode yes",
  ],
  ["no public keys", "PubkeyAuthentication no"],
  ["the old name of keyboard-interactive", "ChallengeResponseAuthentication no"],
  ["forwarding the agent", "ForwardAgent yes"],
  ["an alias for keys", "HostKeyAlias cluster"],
  ["match all", "Match all\n User everyone"],
  ["match host", "Match host web\n User hit\nMatch host *\n User miss", "web"],
  ["match host knows HostName", "HostName db.example\nMatch host db.*\n User hit", "web"],
  ["match host ignores case", "Match host WEB\n User hit", "web"],
  ["match originalhost", "HostName db\nMatch originalhost web\n User hit\nMatch originalhost db\n Port 7", "web"],
  ["match a list", "Match host a,web,!b\n User hit", "web"],
  ["match a negated list", "Match host *,!web\n User hit", "web"],
  ["match not", "Match !host db\n User hit", "web"],
  ["match user", "Match user ada\n Port 1\nMatch user *\n Port 2", "web", { user: "ada" }],
  ["match user set before", "User bob\nMatch user bob\n Port 3"],
  ["match localuser", `Match localuser ${me.username}\n Port 4`],
  ["match several", "Match host web user ada\n Port 5\nMatch host web user bob\n Port 6", "web", { user: "bob" }],
  ["match with equals signs", "Match host=web user=bob\n Port 6", "web", { user: "bob" }],
  ["match exec", 'Match exec "test %h = web"\n Port 8\nMatch exec "false"\n Port 9', "web"],
  ["match not exec", "Match !exec false\n Port 8"],
  ["match exec after a miss", "Match host nobody exec true\n Port 8"],
  ["match final", "HostName db\nMatch final host db\n Port 11\nHost web\n User first", "web"],
  ["match final reads Host again by the new name", "HostName db\nHost db\n User second\nMatch final\n Port 12", "web"],
  ["match not final", "Match !final\n Port 13\nMatch final\n User f"],
  ["match all and more", "Match all host web\n Port 1", "web"],
  ["match without criterion", "Match\n Port 1"],
  ["match with an unknown criterion", "Match moon full\n Port 1"],
  ["match with a missing argument", "Match host\n Port 1"],
  ["match and a comment", "Match host web # hi\n Port 14", "web"],
  ["include", "Include @DIR@/more\nPort 2\n--- more\nPort 3\nUser inc\n"],
  ["include several", "Include @DIR@/a @DIR@/b\n--- a\nUser a\n--- b\nUser b\nPort 3\n"],
  [
    "include by pattern, sorted",
    "Include @DIR@/d/*.conf\n--- d/2.conf\nUser two\n--- d/1.conf\nUser one\n--- d/0.txt\nUser zero\n--- d/.h.conf\nUser hidden\n",
  ],
  ["include by class", "Include @DIR@/d/[b-c]?\n--- d/a1\nUser a\n--- d/b1\nUser b\n"],
  ["include what is not there", "Include /nonexistent/*\nUser here"],
  [
    "include in a block",
    "Host db\n Include @DIR@/more\nHost web\n User web\n--- more\nUser wrong\nHost web\n User wrong2\n",
    "web",
  ],
  ["a block in an include ends with it", "Include @DIR@/more\nPort 4\n--- more\nHost nobody\n Port 5\n", "web"],
  ["include in an include", "Include @DIR@/a\n--- a\nHost web\n User a\n", "web"],
  ["a missing last newline", "Host web\n  User x", "web"],
  ["a user with a blank", 'User "DOMAIN\\ada l"'],
  ["ipv6", "HostName ::1\nPort 9"],
  ["only carriage returns at the ends", "Host web\r\n Port 99\r\n", "web"],
];

describe("ssh_config", () => {
  for (const [why, text, host = "web", more = {}] of CASES) {
    test(`means what it means to ssh: ${why}`, () => compare(text, { host, ...more }));
  }

  test("120 generated configurations mean what they mean to ssh", async () => {
    for (const [index, [text, host, user]] of fc.sample(configuration, { numRuns: 120, seed: 20260401 }).entries()) {
      await compare(text, { host, user }).catch(error => {
        throw new Error(`Configuration ${index}, host ${host}, user ${user}:\n${text}\n${error.message}`);
      });
    }
  });
});

const name = fc.constantFrom("web", "web-1", "db", "db.example", "a", "*", "web*", "!db", "?b", "!web-1", "*.example");
const line = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("User", "HostKeyAlias", "BindAddress"),
      fc.constantFrom("ada", '"b c"', "d\\ e", "x#y", "z # note"),
    )
    .map(pair => pair.join(" ")),
  fc.integer({ min: 1, max: 65535 }).map(port => `Port ${port}`),
  fc.constantFrom("HostName %h.example", "HostName db", "HostName=WEB", "HostName 127.0.0.1"),
  fc.constantFrom(
    "IdentityFile ~/k1",
    "IdentityFile /k2",
    'IdentityFile "/k 3"',
    "IdentityFile none",
    "CertificateFile /c1",
  ),
  fc.constantFrom(
    "ProxyJump j",
    "ProxyJump b@c:4,d",
    "ProxyJump none",
    "ProxyCommand none",
    "ProxyCommand nc -x a:1 host 22",
  ),
  fc.constantFrom("ServerAliveInterval 5", "ConnectTimeout 1m", "ServerAliveCountMax 2", "NumberOfPasswordPrompts 1"),
  fc.constantFrom(
    "IdentitiesOnly yes",
    "Compression=no",
    "BatchMode yes",
    "ForwardAgent no",
    "HashKnownHosts yes",
    "PubkeyAuthentication yes",
  ),
  fc.constantFrom(
    "StrictHostKeyChecking no",
    "StrictHostKeyChecking ask",
    "AddressFamily inet",
    "UserKnownHostsFile /a /b",
    "PreferredAuthentications password",
  ),
);
const block = fc.oneof(
  fc.array(name, { minLength: 1, maxLength: 3 }).map(names => `Host ${names.join(" ")}`),
  fc
    .tuple(
      fc.constantFrom("host", "originalhost", "!host", "!originalhost"),
      fc.array(name, { minLength: 1, maxLength: 2 }),
    )
    .map(([what, names]) => `Match ${what} ${names.join(",")}`),
  fc.constantFrom(
    "Match all",
    "Match user ada",
    "Match !user ada",
    "Match final",
    "Match exec true",
    'Match exec "test %n = web"',
    "Match host web exec false",
  ),
);
const configuration = fc.tuple(
  fc
    .array(fc.oneof({ weight: 3, arbitrary: line }, { weight: 1, arbitrary: block }), { maxLength: 14 })
    .map(lines => `${lines.join("\n")}\n`),
  fc.constantFrom("web", "web-1", "db", "db.example", "a", "WEB"),
  fc.constantFrom(undefined, "ada", "bob"),
);
