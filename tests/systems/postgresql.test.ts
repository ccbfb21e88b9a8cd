import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { PostgresDatabases, PostgresRoles, PostgresTablespaces } from "../../src/facts/postgres.ts";
import { postgres } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);
let hosts: Hosts;
let host: RaisedHost;
const asPostgres = { _suUser: "postgres" };

beforeAll(async () => {
  hosts = await raiseHosts({ count: 1, packages: ["postgresql", "locales-all"] });
  host = hosts.hosts[0]!;
  await mustRun(host, "pg_ctlcluster $(pg_lsclusters -h | cut -d' ' -f1,2) start");
  await until(
    "PostgreSQL answers",
    async () => (await host.exec("su postgres -c 'psql -c \"SELECT 1\"'")).exitCode === 0,
  );
}, 300_000);
afterAll(() => hosts.down());

/** What the server itself says; asked through standard input, so that nothing of ours quotes it. */
const ask = async (sql: string, database = "postgres"): Promise<string> =>
  (
    await mustRun(host, `su postgres -c 'psql -At -v ON_ERROR_STOP=1 ${database}'`, new TextEncoder().encode(sql))
  ).trimEnd();
const on = <A extends object>(globals: A) => ({ host, globals: { ...asPostgres, ...globals } });
const HOSTILE = "o'b\"r`i$HOME\\n; DROP DATABASE app; -- ";

test("postgres.role creates, changes and drops", async () => {
  const state = (name: string) =>
    ask(
      `SELECT rolcanlogin, rolsuper, rolinherit, rolcreatedb, rolcreaterole, rolreplication, rolconnlimit FROM pg_roles WHERE rolname = '${name.replaceAll("'", "''")}'`,
    );
  await applyTwice(postgres.role, { role: "r1" }, on({}));
  expect(await state("r1")).toBe("t|f|t|f|f|f|-1");
  await applyTwice(
    postgres.role,
    {
      role: "r1",
      login: false,
      superuser: true,
      inherit: false,
      createDb: true,
      createRole: true,
      replication: true,
      connectionLimit: 5,
    },
    on({}),
  );
  expect(await state("r1")).toBe("f|t|f|t|t|t|5");
  await applyTwice(postgres.role, { role: "r1", superuser: false, createRole: false, connectionLimit: -1 }, on({}));
  expect(await state("r1")).toBe("t|f|f|t|f|t|-1");
  await applyTwice(postgres.role, { role: "r2", login: false, inherit: false, connectionLimit: 0 }, on({}));
  expect(await state("r2")).toBe("f|f|f|f|f|f|0");

  await applyTwice(postgres.role, { role: HOSTILE }, on({}));
  expect(await state(HOSTILE)).toBe("t|f|t|f|f|f|-1");
  expect(Object.keys(await askFact(PostgresRoles, {}, host, asPostgres))).toContain(HOSTILE);
  for (const role of ["r1", "r2", HOSTILE]) await applyTwice(postgres.role, { role, present: false }, on({}));
  expect(await ask("SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_'")).toBe("1");
});

test("postgres.role sets a password that works, and never shows it", async () => {
  const applied = await apply(postgres.role, { role: "log in", password: HOSTILE }, on({}));
  expect(applied.commands).toEqual(["psql -Ac 'CREATE ROLE \"log in\" LOGIN ***'"]);
  const connection = {
    psqlUser: "log in",
    psqlPassword: new Secret(HOSTILE),
    psqlHost: "127.0.0.1",
    psqlPort: 5432,
    psqlDatabase: "postgres",
  };
  const own = await apply(postgres.sql, { sql: "SELECT 'I am ' || current_user", ...connection }, { host });
  expect(own.stdout).toContain("I am log in");
  expect(own.commands).toEqual([
    `*** psql -d postgres -U 'log in' -h 127.0.0.1 -p 5432 -Ac 'SELECT '"'"'I am '"'"' || current_user'`,
  ]);
  await apply(postgres.role, { role: "log in", password: "plain" }, on({}));
  await expect(apply(postgres.sql, { sql: "SELECT 1", ...connection }, { host })).rejects.toThrow(
    "password authentication failed",
  );
  await apply(postgres.sql, { sql: "SELECT 1", ...connection, psqlPassword: "plain" }, { host });
});

test("postgres.database creates, changes and drops", async () => {
  await apply(postgres.role, { role: "Own er" }, on({}));
  await mustRun(host, "install -d -o postgres /srv/space");
  await ask("CREATE TABLESPACE \"Fast one\" LOCATION '/srv/space'");
  const state = (name: string) =>
    ask(
      `SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, spcname, datconnlimit FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = '${name}'`,
    );
  const full = {
    database: "app",
    owner: "Own er",
    template: "template0",
    encoding: "UTF8",
    lcCollate: "de_DE.utf8",
    lcCtype: "C",
    tablespace: "Fast one",
    connectionLimit: 7,
  };
  await applyTwice(postgres.database, full, on({}));
  expect(await state("app")).toBe("Own er|UTF8|de_DE.utf8|C|Fast one|7");
  const changed = await applyTwice(
    postgres.database,
    { database: "app", owner: "postgres", tablespace: "pg_default", connectionLimit: -1 },
    on({}),
  );
  expect(changed.commands).toHaveLength(2);
  expect(await state("app")).toBe("postgres|UTF8|de_DE.utf8|C|pg_default|-1");
  expect(Object.values(await askFact(PostgresTablespaces, {}, host, asPostgres)).sort()).toEqual([
    "Fast one",
    "pg_default",
    "pg_global",
  ]);

  await applyTwice(postgres.database, { database: HOSTILE }, on({}));
  expect(Object.keys(await askFact(PostgresDatabases, {}, host, asPostgres)).sort()).toEqual(
    ["app", HOSTILE, "postgres", "template0", "template1"].sort(),
  );
  for (const database of [HOSTILE, "app"]) await applyTwice(postgres.database, { database, present: false }, on({}));
  expect(await ask("SELECT count(*) FROM pg_database")).toBe("3");
});

test("postgres.dump and postgres.load copy a database", async () => {
  for (const database of ["src", "copy"]) await apply(postgres.database, { database }, on({}));
  await ask("CREATE TABLE t (v text); INSERT INTO t VALUES ('a''b')", "src");
  const file = "/tmp/it's a $dump";
  await apply(postgres.dump, { dest: file, psqlDatabase: "src" }, on({}));
  await apply(postgres.load, { src: file, psqlDatabase: "copy" }, on({}));
  expect(await ask("SELECT v FROM t", "copy")).toBe("a'b");
});
