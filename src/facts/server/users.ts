/** Users, groups and their keys. @module */
import { operand, Secret, sh } from "../../core/command.ts";
import { fact, type NoArguments } from "../../core/fact.ts";
import { parseLoginTime } from "./login-time.ts";

/** Names of the host's groups, in the order of `/etc/group`. */
export const Groups = fact<NoArguments, readonly string[]>({
  name: "server.Groups",
  command: () => sh`cat /etc/group`,
  parse: lines => lines.filter(line => line.includes(":")).map(line => line.slice(0, line.indexOf(":"))),
  empty: [],
});

/** An account of the host. What its entry leaves empty is absent. */
export interface UserAccount {
  /** Home directory. */
  readonly home?: string;
  /** Full name, or whatever stands there. */
  readonly comment?: string;
  /** Login shell. */
  readonly shell?: string;
  /** Name of the primary group. */
  readonly group: string;
  /** Names of the secondary groups. */
  readonly groups: readonly string[];
  /** User id. */
  readonly uid: number;
  /** Id of the primary group. */
  readonly gid: number;
  /** Time of the last login as the host prints it; absent when there was none. */
  readonly lastlog?: string;
  /** The same in ISO 8601, with an offset if the host prints one; absent when it prints no year. */
  readonly loginTime?: string;
  /** Encrypted password, `*` or `!` for none; empty when it may not be read. */
  readonly password: Secret;
}

/** Accounts of the host, by name. */
export const Users = fact<NoArguments, Readonly<Record<string, UserAccount>>>({
  name: "server.Users",
  command: () => sh`for i in \`cat /etc/passwd | cut -d: -f1\`; do
            ENTRY=\`grep ^$i: /etc/passwd\`;
            LASTLOG=\`(((lastlog -u $i || lastlogin $i) 2> /dev/null) | grep ^$i | tr -s ' ')\`;
            PASSWORD=\`(grep ^$i: /etc/shadow || grep ^$i: /etc/master.passwd) 2> /dev/null | cut -d: -f2\`;
            echo "$ENTRY|\`id -gn $i\`|\`id -Gn $i\`|$LASTLOG|$PASSWORD";
        done`,
  parse: lines => Object.fromEntries(lines.map(account).filter(found => found !== undefined)),
  empty: {},
});

/** Arguments of `server.AuthorizedKeys`. */
export interface AuthorizedKeysArguments {
  /** Whose keys. */
  readonly user: string;
  /** The file; default: `.ssh/authorized_keys` in the user's home. */
  readonly path?: string;
}

/** Public keys that may log in as a user, one a line as they are written, in their order. */
export const AuthorizedKeys = fact<AuthorizedKeysArguments, readonly string[]>({
  name: "server.AuthorizedKeys",
  command: ({ user, path }) =>
    path === undefined
      ? sh`cat ~${user}/.ssh/authorized_keys 2>/dev/null || true`
      : sh`cat ${operand(path)} 2>/dev/null || true`,
  parse: lines => lines.map(line => line.trim()).filter(line => line !== "" && !line.startsWith("#")),
  empty: [],
});

function account(line: string): [name: string, account: UserAccount] | undefined {
  const parts = line.split("|");
  // A comment may hold a bar: the last four are ours.
  const [group, groupNames, lastlog, password] = parts.slice(-4);
  const [name, , uid, gid, comment, home, shell] = parts.slice(0, -4).join("|").split(":");
  if (group === undefined || groupNames === undefined || lastlog === undefined || password === undefined) {
    throw new SyntaxError(`Not an account: ${JSON.stringify(line)}`);
  }
  if (!name) return undefined;
  const login = /[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d+ .+$/.exec(lastlog)?.[0];
  const loginTime = login && parseLoginTime(login);
  return [
    name,
    {
      ...(home && { home }),
      ...(comment && { comment }),
      ...(shell && { shell }),
      group,
      groups: groupNames.split(" ").filter(other => other !== "" && other !== group),
      uid: Number(uid),
      gid: Number(gid),
      ...(login && { lastlog: login }),
      ...(loginTime && { loginTime }),
      password: new Secret(password),
    },
  ];
}
