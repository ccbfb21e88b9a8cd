import { Secret } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { mysqlAccount, type MysqlConnection, mysqlText, type MysqlUser, MysqlUsers } from "../../facts/mysql.ts";
import { checkLimit, drop, type PresentArguments } from "../shared/sql.ts";
import { connectionOf, runner } from "./connection.ts";
import { privileges as grant } from "./privileges.ts";

/** Arguments of `mysql.user`. */
export interface UserArguments extends MysqlConnection, PresentArguments {
  /** Name of the user. */
  readonly user: string;
  /** Where the user connects from, `%` for anywhere; default `localhost`. With another one it is another user. */
  readonly userHostname?: string;
  /** Password of a user that is created. That of one who is there is left as it is. */
  readonly password?: string | Secret;
  /** Global privileges that the user must have, and no others; default: left as they are. */
  readonly privileges?: string | readonly string[];
  /** What connections of the user need: TLS (`"SSL"`), or a valid certificate (`"X509"`); default: left as it is. */
  readonly require?: "SSL" | "X509";
  /** Cipher of the connection; only with `require: "X509"`. */
  readonly requireCipher?: string;
  /** Issuer of the certificate; only with `require: "X509"`. */
  readonly requireIssuer?: string;
  /** Subject of the certificate; only with `require: "X509"`. */
  readonly requireSubject?: string;
  /** Connections at the same time; 0 is no limit of the user's own. Default: left as it is. */
  readonly maxConnections?: number;
  /** Queries in an hour; 0 is no limit. Default: left as it is. */
  readonly maxQueriesPerHour?: number;
  /** Changes in an hour; 0 is no limit. Default: left as it is. */
  readonly maxUpdatesPerHour?: number;
  /** Connections in an hour; 0 is no limit. Default: left as it is. */
  readonly maxConnectionsPerHour?: number;
}

/**
 * Create, change or drop a user.
 * @example mysql.user({ user: "app", password: "change me", privileges: ["SELECT", "INSERT"], maxConnections: 50 });
 */
export const user = operation<UserArguments>({
  name: "mysql.user",
  positional: ["user"],
  async *steps(host, args) {
    const { user: name, present = true, userHostname = "localhost", password } = args;
    checkRequirements(args);
    const connection = connectionOf(args);
    const run = runner(connection);
    const users = await host.getFact(MysqlUsers, connection);
    const found = users[`${name}@${userHostname}`];
    const what = `mysql user ${name}@${userHostname}`;
    const account = mysqlAccount(name, userHostname);
    if (!present) return yield* drop(host, what, found !== undefined, run(`DROP USER ${account}`));

    const changes = [requirement(args, found), limits(args, found)];
    if (found === undefined) {
      const identified =
        password !== undefined &&
        password !== "" &&
        Secret.of(password).map(text => `IDENTIFIED BY ${mysqlText(text)}`);
      yield run([`CREATE USER ${account}`, identified, ...changes]);
    } else if (changes.some(change => change !== undefined)) yield run([`ALTER USER ${account}`, ...changes]);
    else host.noop(`${what} exists`);
    if (args.privileges !== undefined && args.privileges.length > 0)
      yield* grant.steps(host, { ...connection, user: name, userHostname, privileges: args.privileges });
  },
});

function checkRequirements(args: UserArguments): void {
  const { require } = args;
  if (require !== undefined && require !== "SSL" && require !== "X509")
    throw new OperationError('Invalid `require` value, must be: "SSL" or "X509"');
  for (const name of ["requireCipher", "requireIssuer", "requireSubject"] as const)
    if (args[name] && require !== "X509")
      throw new OperationError(`Cannot set \`${name}\` if \`require\` is not "X509"`);
  for (const { argument } of LIMITS) checkLimit(argument, args[argument]);
}

/** The clause about TLS, where it says something that is not so yet. */
function requirement(args: UserArguments, found: MysqlUser | undefined): string | undefined {
  if (args.require === undefined) return undefined;
  if (args.require === "SSL") return found?.["ssl_type"] === "ANY" ? undefined : "REQUIRE SSL";
  const wanted = [
    { word: "CIPHER", value: args.requireCipher, column: "ssl_cipher" },
    { word: "ISSUER", value: args.requireIssuer, column: "x509_issuer" },
    { word: "SUBJECT", value: args.requireSubject, column: "x509_subject" },
  ].filter(({ value }) => value);
  if (wanted.length === 0) return found?.["ssl_type"] === "X509" ? undefined : "REQUIRE X509";
  // The server forgets the parts that a new clause leaves out.
  if (found && wanted.every(({ value, column }) => found[column] === value)) return undefined;
  return ["REQUIRE", ...wanted.map(({ word, value = "" }) => `${word} ${mysqlText(value)}`)].join(" ");
}

/** The clause about limits that are others now; a new user has none. */
function limits(args: UserArguments, found: MysqlUser | undefined): string | undefined {
  const others = LIMITS.flatMap(({ argument, word, column }) => {
    const value = args[argument];
    return value === undefined || value === (found?.[column] ?? 0) ? [] : [`${word} ${value}`];
  });
  return others.length > 0 ? `WITH ${others.join(" ")}` : undefined;
}

const LIMITS = [
  { argument: "maxConnections", word: "MAX_USER_CONNECTIONS", column: "max_user_connections" },
  { argument: "maxQueriesPerHour", word: "MAX_QUERIES_PER_HOUR", column: "max_questions" },
  { argument: "maxUpdatesPerHour", word: "MAX_UPDATES_PER_HOUR", column: "max_updates" },
  { argument: "maxConnectionsPerHour", word: "MAX_CONNECTIONS_PER_HOUR", column: "max_connections" },
] as const;
