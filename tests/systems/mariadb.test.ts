import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { MysqlUserGrants, MysqlUsers } from "../../src/facts/mysql.ts";
import { mysql } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);
let hosts: Hosts;
let host: RaisedHost;

beforeAll(async () => {
  hosts = await raiseHosts({ count: 1, packages: ["mariadb-server", "mariadb-client"] });
  host = hosts.hosts[0]!;
  await mustRun(
    host,
    "install -d -o mysql /run/mysqld; setsid mariadbd --user=mysql --bind-address=127.0.0.1 >/tmp/mariadbd.log 2>&1 </dev/null &",
  );
  await until("MariaDB answers", async () => (await host.exec("mysqladmin ping")).exitCode === 0);
}, 300_000);
afterAll(() => hosts.down());

/** What the server itself says; asked through standard input, so that nothing of ours quotes it. */
const ask = async (sql: string, login = ""): Promise<string> =>
  (await mustRun(host, `mysql -N ${login}`, new TextEncoder().encode(sql))).trimEnd();
const grants = (account: string) => ask(`SHOW GRANTS FOR ${account}`);
const HOSTILE = "o'b\"r`i$HOME\\n; DROP DATABASE app; -- x";

test("mysql.database creates, grants and drops", async () => {
  await apply(mysql.user, { user: "app" }, { host });
  await applyTwice(
    mysql.database,
    { database: "app", charset: "utf8mb4", collate: "utf8mb4_bin", user: "app" },
    { host },
  );
  expect(
    await ask(
      "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'app'",
    ),
  ).toBe("utf8mb4\tutf8mb4_bin");
  expect(await grants("app@localhost")).toContain("GRANT ALL PRIVILEGES ON `app`.* TO `app`@`localhost`");

  await applyTwice(mysql.database, { database: HOSTILE }, { host });
  expect(await ask("SHOW DATABASES LIKE 'o%'")).toBe(HOSTILE.replaceAll("\\", "\\\\"));
  await applyTwice(mysql.database, { database: HOSTILE, present: false }, { host });
  expect(await ask("SHOW DATABASES LIKE 'o%'")).toBe("");
  expect(await ask("SHOW DATABASES LIKE 'app'")).toBe("app");
});

test("mysql.user creates a user whose password works, and never shows it", async () => {
  const applied = await applyTwice(
    mysql.user,
    { user: HOSTILE, userHostname: "127.0.0.1", password: HOSTILE, privileges: ["SELECT", "INSERT"] },
    { host },
  );
  expect(applied.commands[0]).toMatch(/^mysql -Be 'CREATE USER .* \*\*\*'$/);
  expect(
    await ask(
      "SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'o%' AND Select_priv = 'Y' AND Insert_priv = 'Y' AND Update_priv = 'N'",
    ),
  ).toBe("1");
  const connection = {
    mysqlUser: HOSTILE,
    mysqlPassword: new Secret(HOSTILE),
    mysqlHost: "127.0.0.1",
    mysqlPort: 3306,
  };
  const own = await apply(mysql.sql, { sql: "SELECT CURRENT_USER()", ...connection }, { host });
  expect(own.stdout).toContain("@127.0.0.1");
  expect(own.commands[0]).toContain("*** -h127.0.0.1 -P3306");
  await expect(apply(mysql.sql, { sql: "SELECT 1", ...connection, mysqlPassword: "wrong" }, { host })).rejects.toThrow(
    "Access denied",
  );
  expect(Object.keys(await askFact(MysqlUsers, {}, host))).toContain(`${HOSTILE}@127.0.0.1`);
  await applyTwice(mysql.user, { user: HOSTILE, userHostname: "127.0.0.1", present: false }, { host });
  expect(await ask("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'o%'")).toBe("0");
});

test("mysql.user keeps every part of a TLS requirement, and changes limits one by one", async () => {
  const state = () =>
    ask(
      "SELECT ssl_type, ssl_cipher, x509_issuer, x509_subject, max_questions, max_updates, max_connections, max_user_connections FROM mysql.user WHERE User = 'tls'",
    );
  const x509 = {
    require: "X509",
    requireCipher: "AES",
    requireIssuer: '/CN=it\'s "ours"',
    requireSubject: "/CN=me",
  } as const;
  await applyTwice(mysql.user, { user: "tls", ...x509, maxQueriesPerHour: 10 }, { host });
  expect(await state()).toBe('SPECIFIED\tAES\t/CN=it\'s "ours"\t/CN=me\t10\t0\t0\t0');
  await applyTwice(mysql.user, { user: "tls", ...x509, requireIssuer: "/CN=other" }, { host });
  expect(await state()).toBe("SPECIFIED\tAES\t/CN=other\t/CN=me\t10\t0\t0\t0");
  await applyTwice(
    mysql.user,
    { user: "tls", maxQueriesPerHour: 0, maxUpdatesPerHour: 2, maxConnectionsPerHour: 3, maxConnections: 4 },
    { host },
  );
  expect(await state()).toBe("SPECIFIED\tAES\t/CN=other\t/CN=me\t0\t2\t3\t4");
  await applyTwice(mysql.user, { user: "tls", require: "SSL" }, { host });
  expect((await state()).split("\t")[0]).toBe("ANY");
  await applyTwice(mysql.user, { user: "tls", require: "X509" }, { host });
  expect((await state()).split("\t")[0]).toBe("X509");
});

test("mysql.privileges brings grants to exactly what is wanted", async () => {
  await apply(mysql.user, { user: "p1" }, { host });
  await ask("CREATE DATABASE `db 1`; CREATE TABLE `db 1`.`t``1` (a INT, b INT)");
  const set = (privileges: string[], more: object = {}) =>
    applyTwice(mysql.privileges, { user: "p1", privileges, ...more }, { host });
  await set(["select", "INSERT"]);
  expect(await grants("p1@localhost")).toBe("GRANT SELECT, INSERT ON *.* TO `p1`@`localhost`");
  await set(["ALL"], { withGrantOption: true });
  expect(await grants("p1@localhost")).toBe("GRANT ALL PRIVILEGES ON *.* TO `p1`@`localhost` WITH GRANT OPTION");
  await set(["SELECT"]);
  expect(await grants("p1@localhost")).toBe("GRANT SELECT ON *.* TO `p1`@`localhost`");
  await set([]);
  expect(await grants("p1@localhost")).toBe("GRANT USAGE ON *.* TO `p1`@`localhost`");
  await set(["SELECT", "UPDATE (a, b)"], { database: "db 1", table: "t`1", flush: false });
  expect(await grants("p1@localhost")).toContain(
    "GRANT SELECT, UPDATE (`a`, `b`) ON `db 1`.`t``1` TO `p1`@`localhost`",
  );
  await set(["SELECT"], { database: "db 1", table: "t`1" });
  await set(["ALL PRIVILEGES", "GRANT OPTION"], { database: "db 1" });
  await set(["DELETE"], { database: "db 1" });
  expect(await askFact(MysqlUserGrants, { user: "p1" }, host)).toEqual({
    "*.*": ["USAGE"],
    "`db 1`.*": ["DELETE"],
    "`db 1`.`t``1`": ["SELECT"],
  });
  await expect(apply(mysql.privileges, { user: "p1", privileges: "SELECT", table: "t" }, { host })).rejects.toThrow(
    "no database provided",
  );
});

test("mysql.dump and mysql.load copy a database", async () => {
  await ask(
    "CREATE DATABASE `copy`; CREATE DATABASE `-src`; CREATE TABLE `-src`.t (v VARCHAR(90)); INSERT INTO `-src`.t VALUES ('a\\'b')",
  );
  await apply(mysql.dump, { dest: "/tmp/it's a $dump", database: "-src" }, { host });
  await apply(mysql.load, { src: "/tmp/it's a $dump", database: "copy" }, { host });
  expect(await ask("SELECT v FROM `copy`.t")).toBe("a'b");
  expect((await apply(mysql.sql, { sql: "SELECT v FROM t", database: "-src" }, { host })).stdout).toContain("a'b");
  await mustRun(host, "echo 'SELECT 1 FROM nowhere' > /tmp/bad.sql");
  await expect(apply(mysql.load, { src: "/tmp/bad.sql", database: "copy" }, { host })).rejects.toThrow("nowhere");
});
