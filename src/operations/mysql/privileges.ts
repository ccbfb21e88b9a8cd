import { OperationError, OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { mysqlAccount, type MysqlConnection, MysqlUserGrants } from "../../facts/mysql.ts";
import { connectionOf, identifier, runner } from "./connection.ts";

/** Arguments of `mysql.privileges`. */
export interface PrivilegesArguments extends MysqlConnection {
  /** Name of the user. */
  readonly user: string;
  /** Every privilege that the user must have there, such as `"SELECT"` or `"ALL"`; others are revoked. */
  readonly privileges: string | readonly string[];
  /** Where the user connects from; default `localhost`. */
  readonly userHostname?: string;
  /** Name of the database; default `*`, for all. */
  readonly database?: string;
  /** Name of the table; default `*`, for all. Needs `database`. */
  readonly table?: string;
  /** Have the server read its tables of privileges again after a change; default true. */
  readonly flush?: boolean;
  /** Let the user hand these privileges on; default false. */
  readonly withGrantOption?: boolean;
}

/**
 * Give a user exactly these privileges: on the server, on a database or on a table.
 * @example mysql.privileges({ user: "app", privileges: ["SELECT", "INSERT"], database: "app" });
 */
export const privileges = operation<PrivilegesArguments>({
  name: "mysql.privileges",
  positional: ["user", "privileges"],
  async *steps(host, args) {
    const {
      user,
      userHostname = "localhost",
      database = "*",
      table = "*",
      flush = true,
      withGrantOption = false,
    } = args;
    const wanted = new Set([args.privileges].flat().map(canonical));
    if (withGrantOption) wanted.add("GRANT OPTION");
    const target = `${nameOrAll(database)}.${nameOrAll(table)}`;
    if (table !== "*" && database === "*")
      throw new OperationError(`Cannot apply MySQL privileges on ${target}, no database provided`);

    const connection = connectionOf(args);
    const run = runner(connection);
    const account = mysqlAccount(user, userHostname);
    const grants = await host.getFact(MysqlUserGrants, { ...connection, user, hostname: userHostname });
    const found = existing(grants[target] ?? []);
    const revoke = found.difference(wanted);
    const grant = wanted.difference(found);

    if (isAllAndGrantOption(revoke)) {
      // Together they would be another statement, which knows no target.
      yield run(`REVOKE GRANT OPTION ON ${target} FROM ${account}`);
      yield run(`REVOKE ALL PRIVILEGES ON ${target} FROM ${account}`);
    } else if (revoke.size > 0) yield run(`REVOKE ${list(revoke)} ON ${target} FROM ${account}`);
    if (isAllAndGrantOption(grant)) yield run(`GRANT ALL PRIVILEGES ON ${target} TO ${account} WITH GRANT OPTION`);
    else if (grant.size > 0) yield run(`GRANT ${list(grant)} ON ${target} TO ${account}`);

    if (revoke.size === 0 && grant.size === 0) host.noop("mysql privileges are already correct");
    else if (flush) yield run("FLUSH PRIVILEGES");
  },
});

const nameOrAll = (name: string): string => (name === "*" ? name : identifier(name));
const list = (some: ReadonlySet<string>): string => [...some].sort().join(", ");
const isAllAndGrantOption = (some: ReadonlySet<string>): boolean =>
  some.size === 2 && some.has("ALL") && some.has("GRANT OPTION");

/** A privilege as the server writes it: words in capitals, perhaps with columns. */
function canonical(privilege: string): string {
  const [, words = "", columns] = /^\s*([A-Za-z_ ]+?)\s*(?:\(([^()]*)\))?\s*$/.exec(privilege) ?? [];
  if (words === "")
    throw new OperationValueError(
      `\`privileges\` holds ${JSON.stringify(privilege)}, which is not the name of a privilege`,
    );
  const name = words.toUpperCase().replace(/\s+/g, " ");
  if (columns !== undefined)
    return `${name} (${columns
      .split(",")
      .map(column =>
        identifier(
          column
            .trim()
            .replace(/^`(.*)`$/, "$1")
            .replaceAll("``", "`"),
        ),
      )
      .join(", ")})`;
  return name === "ALL PRIVILEGES" ? "ALL" : name;
}

/** What the server says the user has. `USAGE` is its word for nothing. */
function existing(found: readonly string[]): ReadonlySet<string> {
  const privileges = new Set(found.map(canonical));
  privileges.delete("USAGE");
  // MySQL 8 lists what `ALL` stands for.
  if (ALL_GLOBAL.some(name => !privileges.has(name))) return privileges;
  return new Set(["ALL", ...(privileges.has("GRANT OPTION") ? ["GRANT OPTION"] : [])]);
}
const ALL_GLOBAL: readonly string[] = [
  ...[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "FILE",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
  ],
  ...[
    "SUPER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "REPLICATION CLIENT",
    "CREATE VIEW",
    "SHOW VIEW",
  ],
  ...[
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE TABLESPACE",
    "CREATE ROLE",
    "DROP ROLE",
  ],
];
