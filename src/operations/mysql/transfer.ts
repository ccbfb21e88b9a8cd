import { operation } from "../../core/operation.ts";
import { mysqlClient, type MysqlConnection, mysqlStatement } from "../../facts/mysql.ts";
import {
  ALWAYS_RUNS,
  type DumpArguments as Dump,
  dumpTo,
  type LoadArguments as Load,
  loadFrom,
  type SqlArguments as Sql,
} from "../shared/sql.ts";

interface DatabaseChoice extends MysqlConnection {
  /** Name of the database; default: none. */
  readonly database?: string;
}

/** Arguments of `mysql.sql`. */
export type SqlArguments = Sql & DatabaseChoice;
/** Arguments of `mysql.dump`. */
export type DumpArguments = Dump & DatabaseChoice;
/** Arguments of `mysql.load`. */
export type LoadArguments = Load & DatabaseChoice;

/**
 * Run SQL.
 * @example mysql.sql({ sql: "DELETE FROM sessions WHERE expired", database: "app" });
 */
export const sql = operation<SqlArguments>({
  name: "mysql.sql",
  positional: ["sql"],
  idempotent: ALWAYS_RUNS,
  async *steps(_, { sql: text, database, ...connection }) {
    yield mysqlStatement(connection, text, database);
  },
});

/**
 * Write a database to a file of SQL, with `mysqldump`.
 * @example mysql.dump({ dest: "/var/backups/app.sql", database: "app" });
 */
export const dump = operation<DumpArguments>({
  name: "mysql.dump",
  positional: ["dest"],
  idempotent: "The file is written anew every time",
  async *steps(_, { dest, database, ...connection }) {
    yield dumpTo(mysqlClient(connection, { program: "mysqldump", database }), dest);
  },
});

/**
 * Run a file of SQL. It stops at the first statement that fails.
 * @example mysql.load({ src: "/var/backups/app.sql", database: "app_copy" });
 */
export const load = operation<LoadArguments>({
  name: "mysql.load",
  positional: ["src"],
  idempotent: ALWAYS_RUNS,
  async *steps(_, { src, database, ...connection }) {
    yield loadFrom(mysqlClient(connection, { database }), src);
  },
});
