/** What ssh_config says about a host: the part that decides where, as whom and how to connect. @module */
import { join } from "node:path";
import { expandHome } from "../../shared/paths.ts";
import type { Settings } from "./settings.ts";
import { evaluate, type HostQuery, type Sources } from "./evaluate.ts";
import { badLine, type Directive, type Place, placeText, splitArguments } from "./lines.ts";
import { COMMAND_TOKENS, expandTokens, expandVariables, type TokenValues, tokensOf } from "./tokens.ts";

export type { Sources, HostQuery };
export { createConfigFiles } from "./files.ts";
export type { LocalAccount } from "./tokens.ts";

/** A path and who named it. */
export interface NamedPath {
  /** Absolute. */
  readonly path: string;
  /** `~/.ssh/config:12`, `default`, … */
  readonly from: string;
}

/** A program that is run with words of its own, and tokens of which some are known only when it runs. */
export interface TokenCommand {
  readonly program: string;
  /** Its arguments with their tokens replaced, and `more` of them. Throws `ConnectError` if one is unknown. */
  args(more: Readonly<Record<string, string>>): readonly string[];
  readonly at: Place;
}

/** How strictly unknown and changed host keys are taken. */
export type HostKeyPolicy = "yes" | "ask" | "accept-new" | "no";

/** What holds for a host. Absent means that the configuration does not say. */
export interface HostSettings {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Where `user` was said; absent: it is the local user's name. */
  readonly userFrom?: string | undefined;
  /** Where the address, the port and the way were said; absent: nowhere. */
  readonly places: Readonly<Partial<Record<"hostname" | "port" | "proxy", string>>>;
  /** The name that its keys are filed under, where that is another. */
  readonly hostKeyAlias?: string | undefined;
  /** Keys named for this host; absent: the default ones. */
  readonly identityFiles?: readonly NamedPath[] | undefined;
  readonly certificateFiles: readonly NamedPath[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket, `none`, or absent: the environment's. */
  readonly identityAgent?: string | undefined;
  readonly forwardAgent: boolean;
  /** Jump hosts as written, nearest first; empty: none. */
  readonly proxyJump: readonly string[];
  /** With its tokens replaced. */
  readonly proxyCommand?: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly revokedHostKeys?: string | undefined;
  readonly knownHostsCommand?: TokenCommand | undefined;
  readonly strictHostKeyChecking: HostKeyPolicy;
  readonly hashKnownHosts: boolean;
  readonly noHostAuthenticationForLocalhost: boolean;
  /** Seconds. */
  readonly connectTimeout?: number | undefined;
  /** Seconds between signs of life; `0`: none are asked for. */
  readonly serverAliveInterval?: number | undefined;
  readonly serverAliveCountMax?: number | undefined;
  readonly addressFamily: 0 | 4 | 6;
  readonly bindAddress?: string | undefined;
  readonly compression: boolean;
  readonly batchMode: boolean;
  readonly preferredAuthentications?: readonly string[] | undefined;
  readonly pubkeyAuthentication: boolean;
  readonly passwordAuthentication: boolean;
  readonly keyboardInteractive: boolean;
  readonly passwordPrompts: number;
  /** As written: lists, with `+`, `-` or `^` in front where they change the defaults. */
  readonly algorithms: Readonly<Partial<Record<AlgorithmKeyword, string>>>;
  /** What the configuration asks for and this program does not do, each with its place. */
  readonly unsupported: readonly string[];
  /** The same for ways to log in, by the server's name for the method: they matter when no other works. */
  readonly unsupportedLogins: readonly { readonly method: string; readonly setting: string }[];
}

export type AlgorithmKeyword =
  "kexalgorithms" | "hostkeyalgorithms" | "ciphers" | "macs" | "pubkeyacceptedalgorithms" | "casignaturealgorithms";
const ALGORITHM_KEYWORDS: readonly AlgorithmKeyword[] = [
  "kexalgorithms",
  "hostkeyalgorithms",
  "ciphers",
  "macs",
  "pubkeyacceptedalgorithms",
  "casignaturealgorithms",
];

/** Settings that change which host is met or how, and that only ssh itself can honour. */
const UNSUPPORTED: Readonly<Record<string, (value: string) => boolean>> = {
  proxyusefdpass: isYes,
};
const UNSUPPORTED_LOGINS: Readonly<Record<string, (typeof UNSUPPORTED)[string]>> = {
  "gssapi-with-mic gssapiauthentication": isYes,
  "hostbased hostbasedauthentication": isYes,
  "publickey pkcs11provider": value => value !== "none",
};

/** Ask the configuration. Throws `ConnectError` where ssh would stop. */
export async function hostSettings(question: HostQuery, sources: Sources): Promise<HostSettings> {
  const settings = await evaluate(question, sources);
  const { surroundings } = sources;
  const names = namesOf(question, settings, sources);
  const tokens = tokensOf(names, surroundings);
  const path = (written: string, at: Place, from = ""): string =>
    expandHome(expandTokens(expandVariables(written, surroundings.env, at), tokens, at), surroundings, from);
  const paths = (line: Directive | undefined): readonly string[] | undefined =>
    line?.args.filter(written => written.toLowerCase() !== "none").map(written => path(written, line.at));
  const files = (keyword: string): NamedPath[] =>
    unique(
      settings
        .all(keyword)
        .filter(line => line.args[0]?.toLowerCase() !== "none")
        .map(line => ({ path: path(line.args[0] ?? "", line.at), from: placeText(line.at) })),
    );
  const proxy = settings.first("proxyjump");
  const command = settings.first("proxycommand");
  const agent = settings.first("identityagent");
  const revoked = settings.first("revokedhostkeys");
  const user = settings.first("user");
  return {
    hostname: names.hostname,
    port: names.port,
    user: names.user,
    userFrom: question.user === undefined && user ? placeText(user.at) : undefined,
    places: Object.fromEntries(
      Object.entries({
        hostname: settings.first("hostname"),
        port: question.port === undefined ? settings.first("port") : undefined,
        proxy: proxy ?? command,
      }).flatMap(([what, line]) => (line ? [[what, placeText(line.at)]] : [])),
    ),
    hostKeyAlias: settings.first("hostkeyalias")?.args[0],
    identityFiles: settings.first("identityfile") ? files("identityfile") : undefined,
    certificateFiles: files("certificatefile"),
    identitiesOnly: flag(settings, "identitiesonly", false),
    identityAgent: agent && agentPath(agent, written => path(written, agent.at), surroundings.env),
    forwardAgent: forwardsAgent(settings),
    proxyJump: proxy ? jumps(proxy) : [],
    proxyCommand:
      command && command.rest.toLowerCase() !== "none"
        ? expandTokens(command.rest, tokens, command.at, COMMAND_TOKENS)
        : undefined,
    userKnownHostsFiles:
      paths(settings.first("userknownhostsfile")) ??
      ["known_hosts", "known_hosts2"].map(name => join(surroundings.home, ".ssh", name)),
    globalKnownHostsFiles: paths(settings.first("globalknownhostsfile")) ?? [
      "/etc/ssh/ssh_known_hosts",
      "/etc/ssh/ssh_known_hosts2",
    ],
    revokedHostKeys: revoked && paths(revoked)?.[0],
    knownHostsCommand: tokenCommand(settings.first("knownhostscommand"), tokens, surroundings.env),
    strictHostKeyChecking: policy(settings.first("stricthostkeychecking")),
    hashKnownHosts: flag(settings, "hashknownhosts", false),
    noHostAuthenticationForLocalhost: flag(settings, "nohostauthenticationforlocalhost", false),
    connectTimeout: seconds(settings.first("connecttimeout")),
    serverAliveInterval: seconds(settings.first("serveraliveinterval")),
    serverAliveCountMax: count(settings.first("serveralivecountmax")),
    addressFamily: family(settings.first("addressfamily")),
    bindAddress: settings.first("bindaddress")?.args[0],
    compression: flag(settings, "compression", false, ["yes", "no"]),
    batchMode: flag(settings, "batchmode", false),
    preferredAuthentications: settings.first("preferredauthentications")?.args[0]?.split(","),
    pubkeyAuthentication: settings.first("pubkeyauthentication")?.args[0]?.toLowerCase() !== "no",
    passwordAuthentication: flag(settings, "passwordauthentication", true),
    keyboardInteractive: flag(
      settings,
      "kbdinteractiveauthentication",
      flag(settings, "challengeresponseauthentication", true),
    ),
    passwordPrompts: count(settings.first("numberofpasswordprompts")) ?? 3,
    algorithms: Object.fromEntries(
      ALGORITHM_KEYWORDS.flatMap(keyword =>
        settings.first(keyword)?.args[0] ? [[keyword, settings.first(keyword)?.args[0]]] : [],
      ),
    ),
    unsupported: mattering(settings, UNSUPPORTED),
    unsupportedLogins: Object.entries(UNSUPPORTED_LOGINS).flatMap(([name, matters]) => {
      const [method = "", keyword = ""] = name.split(" ");
      return mattering(settings, { [keyword]: matters }).map(setting => ({ method, setting }));
    }),
  };
}

function tokenCommand(
  line: Directive | undefined,
  tokens: Readonly<Record<string, string>>,
  env: Sources["surroundings"]["env"],
): TokenCommand | undefined {
  if (!line || line.rest.toLowerCase() === "none") return undefined;
  const [program = "", ...args] = splitArguments(line.rest, line.at, { comments: false });
  return {
    program,
    at: line.at,
    args: more => args.map(word => expandTokens(expandVariables(word, env, line.at), { ...tokens, ...more }, line.at)),
  };
}

function mattering(settings: Settings, keywords: typeof UNSUPPORTED): readonly string[] {
  return Object.entries(keywords).flatMap(([keyword, matters]) => {
    const line = settings.first(keyword);
    return line && matters(line.args[0] ?? "") ? [`${keyword} (${placeText(line.at)})`] : [];
  });
}

function namesOf(question: HostQuery, settings: Settings, { surroundings }: Sources): TokenValues {
  const port = settings.first("port");
  return {
    original: question.host,
    hostname: settings.hostname,
    port: question.port ?? (port ? portNumber(port) : 22),
    user: question.user ?? settings.first("user")?.args[0] ?? surroundings.user,
    jump: settings.first("proxyjump")?.rest ?? "",
    alias: settings.first("hostkeyalias")?.args[0] ?? question.host,
  };
}

function jumps(line: Directive): readonly string[] {
  const list = line.rest.replace(/#.*$/, "").trim();
  return list.toLowerCase() === "none" ? [] : list.split(",").map(jump => jump.trim());
}

function agentPath(
  line: Directive,
  path: (written: string) => string,
  env: Sources["surroundings"]["env"],
): string | undefined {
  const written = line.args[0] ?? "";
  if (written.toLowerCase() === "none") return "none";
  if (written === "SSH_AUTH_SOCK") return undefined;
  // `$NAME`, without braces, names a variable here and only here.
  if (/^\$[A-Za-z_]\w*$/.test(written)) return env[written.slice(1)] ?? "none";
  return path(written);
}

function forwardsAgent(settings: Settings): boolean {
  const line = settings.first("forwardagent");
  const value = line?.args[0]?.toLowerCase();
  return value !== undefined && value !== "no" && value !== "false";
}

function policy(line: Directive | undefined): HostKeyPolicy {
  const value = line?.args[0]?.toLowerCase() ?? "ask";
  const known = POLICIES[value];
  if (known) return known;
  throw badLine(
    line?.at as Place,
    `StrictHostKeyChecking is ${JSON.stringify(value)}, but must be yes, ask, accept-new or no`,
  );
}
/** What may be written, and what it means. */
export const POLICIES: Readonly<Record<string, HostKeyPolicy>> = {
  yes: "yes",
  true: "yes",
  ask: "ask",
  "accept-new": "accept-new",
  no: "no",
  off: "no",
  false: "no",
};

function isYes(value: string): boolean {
  return ["yes", "true"].includes(value.toLowerCase());
}

function flag(
  settings: Settings,
  keyword: string,
  otherwise: boolean,
  words: readonly string[] = ["yes", "no", "true", "false"],
): boolean {
  const line = settings.first(keyword);
  const value = line?.args[0]?.toLowerCase();
  if (!line || value === undefined) return otherwise;
  if (!words.includes(value))
    throw badLine(line.at, `The value ${JSON.stringify(value)} of ${keyword} is neither yes nor no`);
  return isYes(value);
}

function count(line: Directive | undefined): number | undefined {
  if (!line) return undefined;
  const value = Number(line.args[0]);
  if (Number.isInteger(value) && value >= 0) return value;
  throw badLine(line.at, `The value ${JSON.stringify(line.args[0])} of ${line.keyword} is not a number`);
}

function portNumber(line: Directive): number {
  const port = count(line) as number;
  if (port >= 1 && port <= 65535) return port;
  throw badLine(line.at, `The port ${port} does not exist`);
}

/** `90`, `1m30s`, `2h`; `none` stands for no limit. */
function seconds(line: Directive | undefined): number | undefined {
  const value = line?.args[0]?.toLowerCase();
  if (!line || value === undefined || value === "none") return undefined;
  if (!/^(\d+[smhdw]?)+$/.test(value)) throw badLine(line.at, `The time ${JSON.stringify(value)} is not understood`);
  return [...value.matchAll(/(\d+)([smhdw]?)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 1),
    0,
  );
}
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

function family(line: Directive | undefined): 0 | 4 | 6 {
  const value = line?.args[0]?.toLowerCase() ?? "any";
  if (value === "any") return 0;
  if (value === "inet") return 4;
  if (value === "inet6") return 6;
  throw badLine(line?.at as Place, `AddressFamily is ${JSON.stringify(value)}, but must be any, inet or inet6`);
}

const unique = (files: readonly NamedPath[]): NamedPath[] =>
  files.filter((file, index) => files.findIndex(other => other.path === file.path) === index);
