/** Facts about PostgreSQL servers, asked through the `psql` client. @module */
import { quote, raw, Secret, type Shell, sh } from "../core/command.ts";
import { type CommandFact, fact } from "../core/fact.ts";
import { numberOr } from "./shared/lines.ts";
import { type Row, type Sql, statement, table, type TableFormat } from "./shared/sql.ts";

/** How to reach the server. What is left out is for the client's own configuration to say. */
export interface PostgresConnection {
  /** Role to connect as; default: the name of the user that the client runs as. */
  readonly psqlUser?: string;
  /** The role's password. While the client runs, users of the host may see it. */
  readonly psqlPassword?: string | Secret;
  /** Name or address of the server, or the directory of its socket; default: the local socket. */
  readonly psqlHost?: string;
  /** Port of the server. */
  readonly psqlPort?: number;
  /** Database to connect to; default: the one named as the role. */
  readonly psqlDatabase?: string;
}

/** A client program of the server with the options that connect it. */
export function postgresClient(
  { psqlUser, psqlPassword, psqlHost, psqlPort, psqlDatabase }: PostgresConnection,
  program = "psql",
): Shell {
  const options = { "-d": psqlDatabase, "-U": psqlUser, "-h": psqlHost, "-p": psqlPort };
  return sh`${[
    psqlPassword !== undefined &&
      psqlPassword !== "" &&
      raw(Secret.of(psqlPassword).map(password => `PGPASSWORD=${quote(password)}`)),
    program,
    ...Object.entries(options).flatMap(([option, value]) =>
      value === undefined || value === "" ? [] : [option, value],
    ),
  ]}`;
}

/** The client running a statement. */
export const postgresStatement = (connection: PostgresConnection, sql: Sql): Shell =>
  sh`${postgresClient(connection)} -Ac ${statement(sql)}`;

/** The name of something, whatever characters are in it. */
export const postgresName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text value. */
export function postgresText(text: string): string {
  const doubled = `'${text.replaceAll("'", "''")}'`;
  // What a backslash means in plain quotes is a setting of the server.
  return text.includes("\\") ? `E${doubled.replaceAll("\\", "\\\\")}` : doubled;
}

/** Columns of a catalogue, without the letters that all their names begin with; numbers and truth values as such. */
export type PostgresRecord = Readonly<Record<string, string | number | boolean | undefined>>;

/** Roles by name, with the columns of `pg_roles`: `super`, `canlogin`, `createdb`, `connlimit` and so on. */
export const PostgresRoles = catalogue("postgres.PostgresRoles", {
  sql: "SELECT * FROM pg_catalog.pg_roles",
  prefix: "rol",
  numbers: /^(?:oid|connlimit)$/,
  truths: ["super", "inherit", "createrole", "createdb", "canlogin", "replication", "bypassrls"],
});

/** Databases by name, with the columns of `pg_database`: `connlimit`, `istemplate` …, and names for the numbers in `encoding` and `owner`. */
export const PostgresDatabases = catalogue("postgres.PostgresDatabases", {
  sql: "SELECT pg_catalog.pg_encoding_to_char(encoding), *, pg_catalog.pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database",
  prefix: "dat",
  numbers: /^(?:dba|tablespace|connlimit)$|id$/,
  truths: ["istemplate", "allowconn"],
});

/** Names of tablespaces, by their number. */
export const PostgresTablespaces = fact<PostgresConnection, Readonly<Record<string, string>>>({
  name: "postgres.PostgresTablespaces",
  requires: "psql",
  command: connection => postgresStatement(connection, "SELECT oid, spcname FROM pg_catalog.pg_tablespace"),
  parse: lines => Object.fromEntries(rows(lines).map(row => [row["oid"], row["spcname"] ?? ""])),
  empty: {},
});

interface Catalogue {
  readonly sql: string;
  /** What the names of the columns begin with. */
  readonly prefix: string;
  /** Names, without the prefix, of columns that hold numbers. */
  readonly numbers: RegExp;
  /** Names of columns that hold `t` or `f`. */
  readonly truths: readonly string[];
}

function catalogue(
  name: string,
  { sql, prefix, numbers, truths }: Catalogue,
): CommandFact<PostgresConnection, Readonly<Record<string, PostgresRecord>>> {
  const value = (column: string, text: string | undefined) => {
    if (truths.includes(column)) return text === "t";
    return numbers.test(column) && text !== undefined ? numberOr(text) : text;
  };
  const record = ({ pg_encoding_to_char: encoding, ...row }: Row): [string, PostgresRecord] => {
    const columns = Object.entries(row).map(([column, text]): [string, string | undefined] => [
      column.startsWith(prefix) ? column.slice(prefix.length) : column,
      text,
    ]);
    const { name: key = "", ...details } = Object.fromEntries(columns);
    const values = Object.fromEntries(Object.entries(details).map(([column, text]) => [column, value(column, text)]));
    return [key, encoding === undefined ? values : { ...values, encoding }];
  };
  return fact<PostgresConnection, Readonly<Record<string, PostgresRecord>>>({
    name,
    requires: "psql",
    command: connection => postgresStatement(connection, sql),
    parse: lines => Object.fromEntries(rows(lines).map(record)),
    empty: {},
  });
}

/** What the client prints with `-A`, and how many rows there were in the last line. */
const UNALIGNED: TableFormat = { separator: "|", cell: text => (text === "" ? undefined : text) };
const rows = (lines: readonly string[]): readonly Row[] =>
  table(/^\(\d+ rows?\)$/.test(lines.at(-1) ?? "") ? lines.slice(0, -1) : lines, UNALIGNED);
