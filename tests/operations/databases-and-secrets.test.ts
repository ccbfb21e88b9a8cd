import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/command.ts";
import { DockerAuths, DockerContainer, DockerVolume } from "../../src/facts/docker.ts";
import { IptablesRuleExists, IptablesRules } from "../../src/facts/iptables.ts";
import { MysqlUserGrants, MysqlUsers } from "../../src/facts/mysql.ts";
import { PostgresDatabases, PostgresRoles, PostgresTablespaces } from "../../src/facts/postgres.ts";
import { SEPorts } from "../../src/facts/selinux.ts";
import { Which } from "../../src/facts/server/index.ts";
import { OpenvzContainers } from "../../src/facts/vzctl.ts";
import { docker, iptables, mysql, postgres, selinux, sops, ssh, vzctl } from "../../src/operations/index.ts";
import { apply, applyTwice } from "../support/apply.ts";
import { foresee } from "../support/fact-host.ts";

const PASSWORD = "pa'ss\"w`o$rd\\";

test("no password is shown, however deep it is quoted, as text or as a secret", async () => {
  for (const password of [PASSWORD, new Secret(PASSWORD)]) {
    const connection = { mysqlUser: "root", mysqlPassword: password };
    const foreseen = [
      await foresee(mysql.user, { user: "u", password, ...connection }, [[MysqlUsers, {}]]),
      await foresee(postgres.role, { role: "r", password, psqlPassword: password }, [[PostgresRoles, {}]]),
      await foresee(mysql.dump, { dest: "/tmp/x", ...connection }, []),
      await foresee(docker.login, { username: "ci", password, server: "r:5000" }, [[DockerAuths, []]]),
    ];
    for (const { steps } of foreseen) {
      const shown = JSON.stringify(steps);
      expect(shown).toContain("***");
      expect(shown).not.toContain("o$rd");
    }
    expect(foreseen[0]!.commands[0]).toContain(`'"'"'ss""w\`o$rd\\\\"`);
  }
});

test("docker.login sends the password to standard input alone", async () => {
  const { commands, steps } = await foresee(docker.login, { username: "ci", password: PASSWORD }, [
    [DockerAuths, ["other:5000"]],
  ]);
  expect(commands).toEqual(["docker login --username ci --password-stdin"]);
  expect(steps[0]).toMatchObject({ kind: "configured", arguments: { _stdin: expect.any(Secret) } });
  expect(
    (await foresee(docker.login, { username: "ci", password: "x" }, [[DockerAuths, ["https://index.docker.io/v1/"]]]))
      .noops,
  ).toEqual(["Already logged in to Docker registry https://index.docker.io/v1/"]);
});

test("mysql.privileges takes MySQL 8's long list for ALL, and USAGE for nothing", async () => {
  const long =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, SUPER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, CREATE TABLESPACE, CREATE ROLE, DROP ROLE, XA_RECOVER_ADMIN, GRANT OPTION";
  const given = (privileges: string) => [[MysqlUserGrants, { "*.*": privileges.split(", ") }]] as const;
  expect(
    (await foresee(mysql.privileges, { user: "u", privileges: "all privileges", withGrantOption: true }, given(long)))
      .commands,
  ).toEqual([]);
  expect((await foresee(mysql.privileges, { user: "u", privileges: "ALL" }, given(long))).commands[0]).toContain(
    "REVOKE GRANT OPTION ON *.*",
  );
  expect((await foresee(mysql.privileges, { user: "u", privileges: [] }, given("USAGE"))).noops).toEqual([
    "mysql privileges are already correct",
  ]);
  await expect(
    foresee(mysql.privileges, { user: "u", privileges: "SELECT ON *.* TO x; --" }, given("USAGE")),
  ).rejects.toThrow("not the name of a privilege");
});

test("names that objects have from birth are no users, roles or databases", async () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    expect((await foresee(postgres.role, { role: name }, [[PostgresRoles, {}]])).commands).toEqual([
      `psql -Ac 'CREATE ROLE "${name}" LOGIN'`,
    ]);
    expect(
      (await foresee(postgres.database, { database: name, present: false }, [[PostgresDatabases, {}]])).commands,
    ).toEqual([]);
  }
});

test("postgres reads the keys that its facts have", async () => {
  const role = {
    super: false,
    inherit: true,
    createrole: false,
    createdb: true,
    canlogin: false,
    replication: false,
    connlimit: -1,
  };
  const change = await foresee(postgres.role, { role: "r", superuser: true, createDb: false, connectionLimit: 3 }, [
    [PostgresRoles, { r: role }],
  ]);
  expect(change.commands).toEqual([`psql -Ac 'ALTER ROLE "r" LOGIN SUPERUSER NOCREATEDB CONNECTION LIMIT 3'`]);
  const stated = [
    [PostgresDatabases, { d: { owner: "a", tablespace: 1663, connlimit: -1, encoding: "UTF8" } }],
    [PostgresTablespaces, { 1663: "pg_default" }],
  ] as const;
  expect(
    (
      await foresee(
        postgres.database,
        { database: "d", owner: "a", tablespace: "pg_default", encoding: "utf8" },
        stated,
      )
    ).noops,
  ).toEqual(["postgresql database d already exists with the same parameters"]);
  expect(
    (await foresee(postgres.database, { database: "d", owner: "b", tablespace: "Fast", connectionLimit: 1 }, stated))
      .commands,
  ).toEqual([
    `psql -Ac 'ALTER DATABASE "d" OWNER TO "b"; ALTER DATABASE "d" CONNECTION LIMIT 1;'`,
    `psql -Ac 'ALTER DATABASE "d" SET TABLESPACE "Fast";'`,
  ]);
});

test("docker: what is absent is not started, and a volume is removed as a volume", async () => {
  expect((await foresee(docker.container, { container: "c", present: false }, [[DockerContainer, []]])).noops).toEqual([
    "There is no c container!",
  ]);
  expect(
    (
      await foresee(docker.container, { container: "c", present: false }, [
        [DockerContainer, [{ State: { Status: "exited" } }]],
      ])
    ).commands,
  ).toEqual(["docker container rm -f c"]);
  expect(
    (await foresee(docker.volume, { volume: "v", present: false }, [[DockerVolume, [{ Name: "v" }]]])).commands,
  ).toEqual(["docker volume rm v"]);
  await expect(
    foresee(docker.container, { container: "c", image: "i", command: "sh -c 'x" }, [[DockerContainer, []]]),
  ).rejects.toThrow("a quote does not end");
  for (const [image, message] of [
    ["", "cannot be empty"],
    ["r.io:/a", "port cannot be empty"],
    ["r.io:x/a", "not a valid port number"],
    ["r.io:70000/a/b", "between 0 and 65535"],
    ["r.io/", "no repository found"],
  ] as const)
    await expect(foresee(docker.image, { image }, [])).rejects.toThrow(message);
});

test("iptables.rule asks the kernel only about rules that it may write in another way", async () => {
  const rules = [[IptablesRules, [{ chain: "INPUT", jump: "ACCEPT", extras: ["-m", "state"] }]]] as const;
  expect((await foresee(iptables.rule, { chain: "INPUT", jump: "DROP" }, rules)).commands).toEqual([
    "iptables -t filter -A INPUT -j DROP",
  ]);
  expect(
    (
      await foresee(iptables.rule, { chain: "INPUT", jump: "DROP", extras: "-m x" }, [
        ...rules,
        [IptablesRuleExists, true],
      ])
    ).noops,
  ).toEqual(["iptables INPUT rule exists"]);
  await expect(foresee(iptables.rule, { chain: "INPUT", jump: "DROP", version: 5 as 4 }, rules)).rejects.toThrow(
    "`version` must be 4 or 6, not 5",
  );
});

test("selinux.port finds a port by its number", async () => {
  const stated = [
    [Which, undefined],
    [SEPorts, { tcp: { 2222: "ssh_port_t" } }],
  ] as const;
  expect(
    (await foresee(selinux.port, { protocol: "tcp", portNum: 2222, seType: "ssh_port_t" }, stated)).commands,
  ).toEqual([]);
  expect((await foresee(selinux.port, { protocol: "tcp", portNum: 2222, present: false }, stated)).commands).toEqual([
    "semanage port -d -p tcp 2222",
  ]);
});

test("vzctl knows a container by number or by text, and takes no option for one", async () => {
  for (const ctid of [101, "101"])
    await expect(foresee(vzctl.create, { ctid }, [[OpenvzContainers, { 101: {} }]])).rejects.toThrow(
      "An OpenVZ container with CTID 101 already exists",
    );
  await expect(foresee(vzctl.delete, { ctid: "--all" }, [])).rejects.toThrow("`ctid` must be");
});

test("ssh takes no option for a host or a user", async () => {
  for (const login of [
    { hostname: "-oProxyCommand=x" },
    { hostname: "h", user: "-l" },
    { hostname: "a b" },
    { hostname: "h", port: 70_000 },
  ])
    await expect(foresee(ssh.command, { ...login, command: "true" }, [])).rejects.toThrow(
      /cannot be the name|must be the number/,
    );
});

test("sops.key sets and empties a value, which no output shows", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sops "));
  try {
    // Stands in for sops: the same options, and a file that is not encrypted.
    const program = `#!${process.execPath}\nconst { argv: [, , verb, ...rest] } = process; const fs = require("fs"); const file = rest.at(-1); const data = JSON.parse(fs.readFileSync(file, "utf8"));\nconst [, key, value] = /^\\["(.*?)"\\](?: (.*))?$/s.exec(verb === "--set" ? rest[0] : rest[1]);\nif (verb === "--set") fs.writeFileSync(file, JSON.stringify({ ...data, [key]: JSON.parse(value) }));\nelse if (key in data) process.stdout.write(String(data[key])); else process.exit(1);\n`;
    writeFileSync(join(directory, "sops"), program);
    chmodSync(join(directory, "sops"), 0o755);
    const secretsFile = join(directory, "it's $a.json");
    writeFileSync(secretsFile, "{}");
    const options = { globals: { _env: { PATH: `${directory}:${process.env["PATH"]}` } } };
    const set = await applyTwice(sops.key, { secretsFile, key: "a b", value: PASSWORD }, options);
    expect(set.commands[0]).toStartWith("sops --set *** ");
    expect(JSON.parse(readFileSync(secretsFile, "utf8"))).toEqual({ "a b": PASSWORD });
    await applyTwice(sops.key, { secretsFile, key: "a b", present: false }, options);
    expect(JSON.parse(readFileSync(secretsFile, "utf8"))).toEqual({ "a b": null });
    await expect(apply(sops.key, { secretsFile, key: "k" }, options)).rejects.toThrow("`value` is required");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
