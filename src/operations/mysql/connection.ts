import { Secret, type Shell } from "../../core/command.ts";
import { type MysqlConnection, mysqlStatement } from "../../facts/mysql.ts";
import type { Sql } from "../../facts/shared/sql.ts";

/** The part of an operation's arguments that says how to reach the server; a password in it is never shown. */
export const connectionOf = ({ mysqlUser, mysqlPassword, mysqlHost, mysqlPort }: MysqlConnection): MysqlConnection => ({
  mysqlUser,
  mysqlPassword: mysqlPassword === undefined ? undefined : Secret.of(mysqlPassword),
  mysqlHost,
  mysqlPort,
});

/** Runs statements on one server. */
export const runner =
  (connection: MysqlConnection) =>
  (statement: Sql): Shell =>
    mysqlStatement(connection, statement);

/** The name of a database or a table. */
export const identifier = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
