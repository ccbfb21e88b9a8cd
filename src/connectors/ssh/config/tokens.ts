/** The `%` tokens, `${VARIABLE}` and `~` of ssh_config. @module */
import { createHash } from "node:crypto";
import { hostname as machineName } from "node:os";
import { badLine, type Place } from "./lines.ts";

/** Who and where we are. */
export interface LocalAccount {
  /** The home directory, where `~/.ssh` is. */
  readonly home: string;
  /** Name of the local user. */
  readonly user: string;
  /** Number of the local user. */
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the tokens stand for. */
export interface TokenValues {
  /** The host as the user named it. */
  readonly original: string;
  /** The host name to connect to. */
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly jump: string;
  readonly alias: string;
}

/** Letters that a `ProxyCommand` may use; most other settings may use all. */
export const COMMAND_TOKENS = "hnpr";

/** Replace `%` tokens; only those in `letters`, if given. */
export function expandTokens(
  text: string,
  tokens: Readonly<Record<string, string>>,
  at: Place,
  letters?: string,
): string {
  return text.replace(/%(.?)/gs, (_, letter: string) => {
    if (letter === "%") return "%";
    const value = letters === undefined || letters.includes(letter) ? tokens[letter] : undefined;
    if (value === undefined) throw badLine(at, `The token "%${letter}" is unknown here`);
    return value;
  });
}

/** All tokens of a host. */
export function tokensOf(names: TokenValues, { home, user, uid }: LocalAccount): Readonly<Record<string, string>> {
  const machine = machineName();
  const port = `${names.port}`;
  return {
    C: createHash("sha1")
      .update(machine + names.hostname + port + names.user + names.jump)
      .digest("hex"),
    L: machine.split(".")[0] as string,
    d: home,
    h: names.hostname,
    i: `${uid}`,
    j: names.jump,
    k: names.alias,
    l: machine,
    n: names.original,
    p: port,
    r: names.user,
    u: user,
  };
}

/** Replace `${VARIABLE}`. */
export function expandVariables(text: string, env: LocalAccount["env"], at: Place): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw badLine(at, `The environment variable ${JSON.stringify(name)} is not set`);
    return value;
  });
}
