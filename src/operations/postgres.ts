/** Databases and roles of PostgreSQL servers, through the `psql` client. @module */
import { Secret } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import type { OperationHost } from "../core/host.ts";
import { operation } from "../core/operation.ts";
import {
  postgresClient,
  type PostgresConnection,
  PostgresDatabases,
  postgresName,
  type PostgresRecord,
  PostgresRoles,
  postgresStatement,
  PostgresTablespaces,
  postgresText,
} from "../facts/postgres.ts";
import type { Sql } from "../facts/shared/sql.ts";
import {
  ALWAYS_RUNS,
  checkLimit,
  drop,
  type DumpArguments as Dump,
  dumpTo,
  type LoadArguments as Load,
  loadFrom,
  type PresentArguments,
  type SqlArguments as StatementArguments,
} from "./shared/sql.ts";

/** Arguments of `postgres.sql`. */
export type SqlArguments = StatementArguments & PostgresConnection;
/** Arguments of `postgres.dump`. */
export type DumpArguments = Dump & PostgresConnection;
/** Arguments of `postgres.load`. */
export type LoadArguments = Load & PostgresConnection;

/**
 * Run SQL.
 * @example postgres.sql({ sql: "VACUUM ANALYZE", psqlDatabase: "app", _sudo: true, _sudoUser: "postgres" });
 */
export const sql = operation<SqlArguments>({
  name: "postgres.sql",
  positional: ["sql"],
  idempotent: ALWAYS_RUNS,
  async *steps(_, { sql: text, ...connection }) {
    yield postgresStatement(connection, text);
  },
});

/** Arguments of `postgres.role`. */
export interface RoleArguments extends PostgresConnection, PresentArguments {
  /** Name of the role. */
  readonly role: string;
  /** Password. The server does not show the one it has, so it is set again every time. */
  readonly password?: string | Secret;
  /** The role may log in; default true. */
  readonly login?: boolean;
  /** The role may do everything. Default: false for a new role, else left as it is. */
  readonly superuser?: boolean;
  /** The role has the privileges of roles it is a member of. Default: what the server makes it, else left as it is. */
  readonly inherit?: boolean;
  /** The role may create databases. Default: false for a new role, else left as it is. */
  readonly createDb?: boolean;
  /** The role may create roles. Default: false for a new role, else left as it is. */
  readonly createRole?: boolean;
  /** The role may replicate. Default: false for a new role, else left as it is. */
  readonly replication?: boolean;
  /** Connections at the same time; -1 is no limit. Default: no limit for a new role, else left as it is. */
  readonly connectionLimit?: number;
}

/**
 * Create, change or drop a role.
 * @example postgres.role({ role: "app", password: "change me", createDb: true, _sudo: true, _sudoUser: "postgres" });
 */
export const role = operation<RoleArguments>({
  name: "postgres.role",
  positional: ["role"],
  async *steps(host, { role: name, present = true, password, connectionLimit, ...args }) {
    checkLimit("connectionLimit", connectionLimit, -1);
    const { connection, run } = server(args);
    const roles = await host.getFact(PostgresRoles, connection);
    const found = Object.hasOwn(roles, name) ? roles[name] : undefined;
    const what = `postgresql role ${name}`;
    if (!present) return yield* drop(host, what, found !== undefined, run(`DROP ROLE ${postgresName(name)}`));

    const wanted = { ...args, login: args.login ?? true };
    const current = found ?? NEW_ROLE;
    const changes = [
      ...ROLE_ATTRIBUTES.filter(({ argument, column }) => differs(wanted[argument], current[column])).map(
        ({ argument, word }) => (wanted[argument] ? word : `NO${word}`),
      ),
      differs(connectionLimit, current["connlimit"]) && `CONNECTION LIMIT ${connectionLimit}`,
      password !== undefined && password !== "" && Secret.of(password).map(text => `PASSWORD ${postgresText(text)}`),
    ].filter(change => change !== false);
    if (found && changes.length === 0) return host.noop(`${what} exists and does not need updates`);
    yield run([`${found ? "ALTER" : "CREATE"} ROLE ${postgresName(name)}`, ...changes]);
  },
});

/** What a role may do: its argument, its word in SQL, and its column in the catalogue. */
const ROLE_ATTRIBUTES = [
  { argument: "login", word: "LOGIN", column: "canlogin" },
  { argument: "superuser", word: "SUPERUSER", column: "super" },
  { argument: "inherit", word: "INHERIT", column: "inherit" },
  { argument: "createDb", word: "CREATEDB", column: "createdb" },
  { argument: "createRole", word: "CREATEROLE", column: "createrole" },
  { argument: "replication", word: "REPLICATION", column: "replication" },
] as const;

/** What a role is without any word. That it inherits is worth saying. */
const NEW_ROLE: PostgresRecord = {
  canlogin: false,
  super: false,
  inherit: "unsaid",
  createdb: false,
  createrole: false,
  replication: false,
  connlimit: -1,
};

/** Arguments of `postgres.database`. */
export interface DatabaseArguments extends PostgresConnection, PresentArguments {
  /** Name of the database. */
  readonly database: string;
  /** Role that owns it. Default: the one that creates it, else left as it is. */
  readonly owner?: string;
  /** Database that a new one is a copy of; default `template1`. */
  readonly template?: string;
  /** Encoding of a new database, such as `UTF8`; default: the template's. */
  readonly encoding?: string;
  /** Order of text in a new database; default: the template's. */
  readonly lcCollate?: string;
  /** Classes of characters in a new database; default: the template's. */
  readonly lcCtype?: string;
  /** Tablespace. Default: the template's, else left as it is. */
  readonly tablespace?: string;
  /** Connections at the same time; -1 is no limit. Default: no limit for a new database, else left as it is. */
  readonly connectionLimit?: number;
}

/**
 * Create, change or drop a database. Template, encoding and locale of one that is there cannot be changed.
 * @example postgres.database({ database: "app", owner: "app", encoding: "UTF8", _sudo: true, _sudoUser: "postgres" });
 */
export const database = operation<DatabaseArguments>({
  name: "postgres.database",
  positional: ["database"],
  async *steps(
    host,
    {
      database: name,
      present = true,
      owner,
      template,
      encoding,
      lcCollate,
      lcCtype,
      tablespace,
      connectionLimit,
      ...args
    },
  ) {
    checkLimit("connectionLimit", connectionLimit, -1);
    const { connection, run } = server(args);
    const databases = await host.getFact(PostgresDatabases, connection);
    const found = Object.hasOwn(databases, name) ? databases[name] : undefined;
    const what = `postgresql database ${name}`;
    if (!present) return yield* drop(host, what, found !== undefined, run(`DROP DATABASE ${postgresName(name)}`));
    if (!found) {
      const clauses = [
        owner && `OWNER ${postgresName(owner)}`,
        template && `TEMPLATE ${plainName(template)}`,
        encoding && `ENCODING ${/^\w+$/.test(encoding) ? encoding : postgresText(encoding)}`,
        lcCollate && `LC_COLLATE ${postgresText(lcCollate)}`,
        lcCtype && `LC_CTYPE ${postgresText(lcCtype)}`,
        tablespace && `TABLESPACE ${plainName(tablespace)}`,
        connectionLimit !== undefined && `CONNECTION LIMIT ${connectionLimit}`,
      ];
      return yield run([`CREATE DATABASE ${postgresName(name)}`, ...clauses.map(clause => clause || undefined)]);
    }
    const kept = {
      TEMPLATE: template,
      ENCODING: differs(encoding?.toUpperCase(), found["encoding"]),
      LC_COLLATE: differs(lcCollate, found["collate"]),
      LC_CTYPE: differs(lcCtype, found["ctype"]),
    };
    for (const [clause, isOther] of Object.entries(kept))
      if (isOther) host.noop(`${what} already exists, skipping ${clause}`);
    const alter = `ALTER DATABASE ${postgresName(name)}`;
    const moves =
      tablespace &&
      differs(tablespace, await tablespaceOf(host, found, connection)) &&
      `${alter} SET TABLESPACE ${postgresName(tablespace)};`;
    const changes = [
      owner && differs(owner, found["owner"]) && `${alter} OWNER TO ${postgresName(owner)};`,
      differs(connectionLimit, found["connlimit"]) && `${alter} CONNECTION LIMIT ${connectionLimit};`,
    ].filter(change => typeof change === "string" && change !== "");
    if (changes.length > 0) yield run(changes);
    // The server moves a database only in a statement that stands alone.
    if (moves) yield run(moves);
    if (changes.length === 0 && !moves) host.noop(`${what} already exists with the same parameters`);
  },
});

/**
 * Write a database to a file of SQL, with `pg_dump`.
 * @example postgres.dump({ dest: "/var/backups/app.sql", psqlDatabase: "app", _sudo: true, _sudoUser: "postgres" });
 */
export const dump = operation<DumpArguments>({
  name: "postgres.dump",
  positional: ["dest"],
  idempotent: "The file is written anew every time",
  async *steps(_, { dest, ...connection }) {
    yield dumpTo(postgresClient(connection, "pg_dump"), dest);
  },
});

/**
 * Run a file of SQL. A statement that fails does not stop `psql`, nor make it fail, unless the file says `\set ON_ERROR_STOP on`.
 * @example postgres.load({ src: "/var/backups/app.sql", psqlDatabase: "app_copy", _sudo: true, _sudoUser: "postgres" });
 */
export const load = operation<LoadArguments>({
  name: "postgres.load",
  positional: ["src"],
  idempotent: ALWAYS_RUNS,
  async *steps(_, { src, ...connection }) {
    yield loadFrom(postgresClient(connection), src);
  },
});

/** The part of an operation's arguments that says how to reach the server, a password in it never shown, and what runs statements there. */
function server({ psqlUser, psqlPassword, psqlHost, psqlPort, psqlDatabase }: PostgresConnection) {
  const connection: PostgresConnection = {
    psqlUser,
    psqlPassword: psqlPassword === undefined ? undefined : Secret.of(psqlPassword),
    psqlHost,
    psqlPort,
    psqlDatabase,
  };
  return { connection, run: (statement: Sql) => postgresStatement(connection, statement) };
}

/** Both are known, and not the same. */
const differs = (wanted: PostgresRecord[string], found: PostgresRecord[string]): boolean =>
  wanted !== undefined && found !== undefined && wanted !== found;

/** A name as people write it; quoted where it needs that. */
const plainName = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : postgresName(name));

/** The catalogue has the number of a tablespace. */
async function tablespaceOf(
  host: OperationHost,
  { tablespace }: PostgresRecord,
  connection: PostgresConnection,
): Promise<PostgresRecord[string]> {
  return typeof tablespace === "number"
    ? (await host.getFact(PostgresTablespaces, connection))[tablespace]
    : tablespace;
}
