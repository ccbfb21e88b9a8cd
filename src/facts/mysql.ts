/** Facts about MySQL and MariaDB servers, asked through the `mysql` client. @module */
import { Secret, type Shell, sh } from "../core/command.ts";
import { type CommandFact, fact } from "../core/fact.ts";
import { numberOr } from "./shared/lines.ts";
import { type Sql, statement, table, type TableFormat } from "./shared/sql.ts";

/** How to reach the server. What is left out is for the client's own configuration to say. */
export interface MysqlConnection {
  /** User to connect as. */
  readonly mysqlUser?: string;
  /** The user's password. While the client runs, users of the host may see it in its command line. */
  readonly mysqlPassword?: string | Secret;
  /** Name or address of the server; default: the local socket. */
  readonly mysqlHost?: string;
  /** Port of the server. */
  readonly mysqlPort?: number;
}

/** A client program of the server with the options that connect it. */
export function mysqlClient(
  connection: MysqlConnection,
  {
    program = "mysql",
    database,
    last = [],
  }: { readonly program?: string; readonly database?: string; readonly last?: readonly (string | Shell)[] } = {},
): Shell {
  const { mysqlUser, mysqlPassword, mysqlHost, mysqlPort } = connection;
  const isOption = database?.startsWith("-") ?? false;
  const options = [
    !isOption && database,
    mysqlUser && `-u${mysqlUser}`,
    mysqlPassword !== undefined && mysqlPassword !== "" && Secret.of(mysqlPassword).map(password => `-p${password}`),
    mysqlHost && `-h${mysqlHost}`,
    mysqlPort !== undefined && `-P${mysqlPort}`,
  ].filter(option => option !== "");
  return sh`${[program, ...options, ...last, ...(isOption ? ["--", database] : [])]}`;
}

/** The client running a statement. */
export const mysqlStatement = (connection: MysqlConnection, sql: Sql, database?: string): Shell =>
  mysqlClient(connection, { last: [sh`-Be ${statement(sql)}`], ...(database === undefined ? {} : { database }) });

/** Text inside double quotes: a value, or one half of the name of an account. */
export const mysqlText = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '""')}"`;

/** The name of an account. */
export const mysqlAccount = (user: string, hostname: string): string => `${mysqlText(user)}@${mysqlText(hostname)}`;

/** What the client prints with `-B`: special characters have a backslash before them. */
const BATCH: TableFormat = {
  separator: "\t",
  cell: text => (text === "" || text === "NULL" ? undefined : unescaped(text)),
};
const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, code: string) => ({ n: "\n", t: "\t", "0": "\0" })[code] ?? code);

/** What a database is by default. */
export interface MysqlDatabase {
  readonly characterSet: string | undefined;
  readonly collationName: string | undefined;
}

/** Databases, by name. */
export const MysqlDatabases = query<Readonly<Record<string, MysqlDatabase>>>(
  "mysql.MysqlDatabases",
  "SELECT * FROM information_schema.SCHEMATA",
  lines =>
    Object.fromEntries(
      table(lines, BATCH).map(row => [
        row["SCHEMA_NAME"],
        { characterSet: row["DEFAULT_CHARACTER_SET_NAME"], collationName: row["DEFAULT_COLLATION_NAME"] },
      ]),
    ),
);

/** A user: columns of the table `mysql.user` as the server names them, `max_…` as numbers, and its global privileges. */
export interface MysqlUser {
  readonly [column: string]: string | number | boolean | readonly string[] | undefined;
  /** Names of the columns `…_priv` that hold `Y`, without that ending, sorted. */
  readonly privileges: readonly string[];
}

/** Users, by `user@host`. */
export const MysqlUsers = query<Readonly<Record<string, MysqlUser>>>(
  "mysql.MysqlUsers",
  "SELECT * FROM mysql.user",
  lines =>
    Object.fromEntries(
      table(lines, BATCH).flatMap(({ User: user, Host: host, ...row }) => {
        if (user === undefined || host === undefined) return [];
        const columns = Object.entries(row).filter(([name]) => !name.endsWith("_priv"));
        const privileges = Object.keys(row).filter(name => name.endsWith("_priv") && row[name] === "Y");
        const details = Object.fromEntries(columns.map(([name, value]) => [name, userColumn(name, value)]));
        return [
          [
            `${user}@${host}`,
            { ...details, privileges: privileges.map(name => name.slice(0, -"_priv".length)).sort() },
          ],
        ];
      }),
    ),
);

function userColumn(name: string, value: string | undefined): string | number | boolean | undefined {
  if (name === "password_expired" || name === "is_role") return value === "Y";
  return name.startsWith("max_") && value !== undefined ? numberOr(value) : value;
}

/** Arguments of `mysql.MysqlUserGrants`. */
export interface MysqlUserGrantsArguments extends MysqlConnection {
  /** Name of the user. */
  readonly user: string;
  /** Where the user connects from; default `localhost`. */
  readonly hostname?: string;
}

/** Privileges of a user, by what they are for: `*.*`, or database and table as the server quotes them. */
export const MysqlUserGrants = fact<MysqlUserGrantsArguments, Readonly<Record<string, readonly string[]>>>({
  name: "mysql.MysqlUserGrants",
  requires: "mysql",
  // The server has no answer but an error for a user that does not exist.
  command: ({ user, hostname = "localhost", ...connection }) =>
    sh`${mysqlStatement(connection, `SHOW GRANTS FOR ${mysqlAccount(user, hostname)}`)} || true`,
  parse(lines) {
    const grants = new Map<string, Set<string>>();
    for (const line of lines) {
      const [, list, target, , , rest = ""] = GRANT.exec(unescaped(line)) ?? [];
      if (list === undefined || target === undefined) continue;
      const privileges = grants.get(target) ?? new Set();
      for (const privilege of list.split(/,\s*(?![^(]*\))/)) privileges.add(privilege.trim());
      if (/\bWITH\b.*\bGRANT OPTION\b/.test(rest)) privileges.add("GRANT OPTION");
      grants.set(target, privileges);
    }
    return Object.fromEntries([...grants].map(([target, privileges]) => [target, [...privileges].sort()]));
  },
  empty: {},
});

/** Privileges, what they are for, and what follows the account. Grants of roles, of functions and for proxies have another form. */
const GRANT =
  /^GRANT ([A-Z].*?) ON (?:TABLE )?((?:\*|`(?:[^`]|``)*`)\.(?:\*|`(?:[^`]|``)*`)) TO (?:(['"`]).*?\3@(['"`]).*?\4)(.*)$/;

function query<T>(
  name: string,
  sql: string,
  parse: (lines: readonly string[]) => T & object,
): CommandFact<MysqlConnection, T> {
  return fact<MysqlConnection, T>({
    name,
    requires: "mysql",
    command: connection => mysqlStatement(connection, sql),
    parse,
    empty: {} as T,
  });
}
