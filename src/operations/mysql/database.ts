import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { type MysqlConnection, MysqlDatabases } from "../../facts/mysql.ts";
import { drop, type PresentArguments } from "../shared/sql.ts";
import { connectionOf, identifier, runner } from "./connection.ts";
import { privileges } from "./privileges.ts";

/** Arguments of `mysql.database`. */
export interface DatabaseArguments extends MysqlConnection, PresentArguments {
  /** Name of the database. */
  readonly database: string;
  /** Collation of a database that is created; one that is there keeps its own. */
  readonly collate?: string;
  /** Character set of a database that is created; one that is there keeps its own. */
  readonly charset?: string;
  /** User who gets privileges on the database; default: nobody. */
  readonly user?: string;
  /** Where that user connects from; default `localhost`. */
  readonly userHostname?: string;
  /** The privileges that the user must have on the database, and no others; default `"ALL"`. */
  readonly userPrivileges?: string | readonly string[];
}

/**
 * Create or drop a database, and give a user privileges on it.
 * @example mysql.database({ database: "app", charset: "utf8mb4", user: "app" });
 */
export const database = operation<DatabaseArguments>({
  name: "mysql.database",
  positional: ["database"],
  async *steps(
    host,
    {
      database: name,
      present = true,
      collate,
      charset,
      user,
      userHostname = "localhost",
      userPrivileges = "ALL",
      ...args
    },
  ) {
    const connection = connectionOf(args);
    const run = runner(connection);
    const databases = await host.getFact(MysqlDatabases, connection);
    const exists = Object.hasOwn(databases, name);
    const what = `mysql database ${name}`;
    if (!present) return yield* drop(host, what, exists, run(`DROP DATABASE ${identifier(name)}`));
    if (exists) host.noop(`${what} exists`);
    else
      yield run([
        `CREATE DATABASE ${identifier(name)}`,
        clause("COLLATE", "collate", collate),
        clause("CHARSET", "charset", charset),
      ]);
    if (user && userPrivileges.length > 0)
      yield* privileges.steps(host, { ...connection, user, userHostname, privileges: userPrivileges, database: name });
  },
});

/** Names of collations and character sets are plain words. */
function clause(word: string, argument: string, value: string | undefined): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (!/^\w+$/.test(value))
    throw new OperationValueError(`\`${argument}\` is ${JSON.stringify(value)}, which cannot be a name`);
  return `${word} ${value}`;
}
