/** CanonicalizeHostname and its like: the full name of a host that was named in short. @module */
import { resolveCname } from "node:dns/promises";
import { isIP } from "node:net";
import { ConnectError } from "../../../core/errors.ts";
import { unlessAborted } from "../../../core/abort.ts";
import type { Names } from "../names.ts";
import type { Settings } from "./settings.ts";
import { badLine, type Directive } from "./lines.ts";
import { matchesHostList } from "./patterns.ts";

/** Asks for a name, which ends with a dot where no search domain may be added; undefined where there is no such name. */
export type Resolve = (
  name: string,
  options: { readonly family: 0 | 4 | 6; readonly wantsAlias: boolean },
) => Promise<{ readonly canonical?: string | undefined } | undefined>;

/** As the machine resolves names. Aliases are asked of the name servers alone. Throws the signal's reason. */
export const resolveWith =
  (names: Names, signal: AbortSignal): Resolve =>
  async (name, { family, wantsAlias }) => {
    const found = await names.addressesOf(name, signal).catch(() => []);
    signal.throwIfAborted();
    if (!found.some(address => family === 0 || family === address.family)) return undefined;
    return { canonical: wantsAlias ? await unlessAborted(endOfAliases(name), signal) : undefined };
  };

/** Aliases of aliases, as far as a name server follows them. */
const LONGEST_CHAIN = 16;

async function endOfAliases(name: string): Promise<string | undefined> {
  let found: string | undefined;
  for (let link = 0; link < LONGEST_CHAIN; link++) {
    const [next] = await resolveCname(found ?? name).catch(() => []);
    if (next === undefined) break;
    found = next;
  }
  return found?.replace(/\.$/, "");
}

/** Does the configuration want host names made canonical, and therefore be read again? */
export const isCanonicalizing = (settings: Settings): boolean => mode(settings) !== "no";

/** The name after the rules of the configuration. Throws `ConnectError` where ssh would stop. */
export async function canonicalName(host: string, settings: Settings, resolve: Resolve): Promise<string> {
  const rules = rulesOf(settings);
  if (looksNumeric(host)) return host;
  const isDirect =
    settings.first("proxyjump") === undefined &&
    (settings.first("proxycommand")?.rest ?? "none").toLowerCase() === "none";
  // Names that a jump host or a program resolves are left to it.
  const isWanted = rules.mode === "always" || (rules.mode === "yes" && isDirect);
  const ask = async (name: string) =>
    await resolve(name, { family: rules.family, wantsAlias: rules.aliases.length > 0 });
  const follow = (name: string, alias: string | undefined): string =>
    (isWanted &&
      alias &&
      rules.aliases.find(({ from, to }) => matchesHostList(name, from) && matchesHostList(alias, to)) &&
      alias) ||
    name;

  if (isWanted) {
    const candidates = host.endsWith(".")
      ? [host]
      : host.split(".").length - 1 > rules.maxDots
        ? undefined
        : rules.domains.map(domain => `${host}.${domain}.`);
    for (const candidate of candidates ?? []) {
      const answer = await ask(candidate);
      if (answer) return follow(candidate.slice(0, -1), answer.canonical);
    }
    if (candidates && !rules.fallsBack) {
      throw new ConnectError(
        `The name ${JSON.stringify(host)} is not found in ${rules.domains.join(", ") || "any domain"}`,
        { hint: "See CanonicalDomains and CanonicalizeFallbackLocal in the SSH configuration" },
      );
    }
  }
  // What was not made canonical may still be an alias.
  if (rules.aliases.length === 0 || !(isDirect || rules.mode === "always")) return host;
  const answer = await ask(host);
  if (!answer && isDirect)
    throw new ConnectError(`The name ${JSON.stringify(host)} cannot be resolved`, {
      hint: "CanonicalizePermittedCNAMEs of the SSH configuration wants its alias",
    });
  return answer ? follow(host, answer.canonical) : host;
}

interface Rules {
  readonly mode: "no" | "yes" | "always";
  readonly domains: readonly string[];
  readonly maxDots: number;
  readonly fallsBack: boolean;
  readonly aliases: readonly { readonly from: string; readonly to: string }[];
  readonly family: 0 | 4 | 6;
}

function rulesOf(settings: Settings): Rules {
  const family = settings.first("addressfamily")?.args[0]?.toLowerCase();
  const fallback = settings.first("canonicalizefallbacklocal");
  return {
    mode: mode(settings),
    domains: domains(settings.first("canonicaldomains")),
    maxDots: number(settings.first("canonicalizemaxdots")) ?? 1,
    fallsBack: fallback === undefined || MODES[oneOf(fallback, ["yes", "no", "true", "false"])] !== "no",
    aliases: aliases(settings.first("canonicalizepermittedcnames")),
    family: family === "inet" ? 4 : family === "inet6" ? 6 : 0,
  };
}

const MODES: Readonly<Record<string, Rules["mode"]>> = {
  yes: "yes",
  true: "yes",
  no: "no",
  false: "no",
  always: "always",
};

function mode(settings: Settings): Rules["mode"] {
  const line = settings.first("canonicalizehostname");
  return line ? (MODES[oneOf(line, Object.keys(MODES))] ?? "no") : "no";
}

function oneOf(line: Directive, words: readonly string[]): string {
  const value = line.args[0]?.toLowerCase() ?? "";
  if (words.includes(value)) return value;
  throw badLine(line.at, `The value ${JSON.stringify(value)} of ${line.keyword} is none of ${words.join(", ")}`);
}

function number(line: Directive | undefined): number | undefined {
  if (!line) return undefined;
  const value = Number(line.args[0]);
  if (Number.isInteger(value)) return value;
  throw badLine(line.at, `The value ${JSON.stringify(line.args[0])} of ${line.keyword} is not a number`);
}

function domains(line: Directive | undefined): readonly string[] {
  const named = line?.args ?? [];
  if (named[0]?.toLowerCase() === "none") return [];
  return named.map(name => {
    if (!/^\w(?!.*\.\.)[\w.-]*$/.test(name))
      throw badLine((line as Directive).at, `The domain ${JSON.stringify(name)} cannot be one`);
    return name.toLowerCase().replace(/\.$/, "");
  });
}

function aliases(line: Directive | undefined): Rules["aliases"] {
  const named = line?.args ?? [];
  if (named[0]?.toLowerCase() === "none") return [];
  return named.map(rule => {
    if (rule === "*") return { from: "*", to: "*" };
    const [, from = "", to = ""] = /^([^:]+):(.+)$/.exec(rule) ?? [];
    if (from === "")
      throw badLine((line as Directive).at, `The rule ${JSON.stringify(rule)} of ${line?.keyword} has no colon`);
    return { from, to };
  });
}

/** Addresses, and what the C library takes for one: `127.1`. */
const looksNumeric = (host: string): boolean =>
  isIP(host) !== 0 || /^(0x[\da-f]+|\d+)(\.(0x[\da-f]+|\d+)){0,3}$/i.test(host);
