import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerAuths, DockerContainerProcesses, DockerContainers } from "../../src/facts/docker.ts";
import { IptablesRules } from "../../src/facts/iptables.ts";
import { MysqlUserGrants } from "../../src/facts/mysql.ts";
import { PostgresRoles } from "../../src/facts/postgres.ts";
import { FileContextMapping, SEPorts } from "../../src/facts/selinux.ts";
import { network } from "../../src/facts/shared/network.ts";
import { shellWords } from "../../src/facts/shared/shell-words.ts";
import { SopsKey } from "../../src/facts/sops.ts";
import { UfwRules, UfwStatus } from "../../src/facts/ufw.ts";
import { OpenvzContainers } from "../../src/facts/vzctl.ts";
import { askFact, localHost } from "../support/apply.ts";

test("a line is taken apart as a shell would, with nothing expanded", () => {
  expect(shellWords(`a  "b \\"c" 'd e'f\\ g --x=$y "" "\\n"`)).toEqual(["a", 'b "c', "d ef g", "--x=$y", "", "\\n"]);
  expect(shellWords("  ")).toEqual([]);
  expect(() => shellWords("a 'b")).toThrow(SyntaxError);
  expect(() => shellWords('a"b')).toThrow(SyntaxError);
});

test("networks are written in one way, and names stay as they are", () => {
  const written = {
    "10.1.2.3/255.0.0.0": "10.0.0.0/8",
    "192.0.2.7/32": "192.0.2.7",
    "0.0.0.0/0": "any",
    "2001:DB8::0/128": "2001:db8::",
    "fe80::10:0:0:0:1/64": "fe80:0:0:10::/64",
    "1:0:0:2:0:0:0:3": "1:0:0:2::3",
  };
  for (const [text, wanted] of Object.entries(written)) expect(network(text)).toBe(wanted);
  for (const text of ["example.com", "10.1.2", "10.1.2.3/33", "1::2::3", "Any"])
    expect(network(text)).toBe(text === "Any" ? "any" : text);
});

test("grants of MySQL: columns, quoted names and several lines for one target; roles, functions and proxies are left out", () => {
  const lines = [
    "Grants for u@%",
    "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ABC'",
    "GRANT SELECT, UPDATE (`a`, `b`), INSERT ON `db1`.`t``1` TO `u`@`%`",
    "GRANT ALL PRIVILEGES ON `my\\\\_db`.* TO 'u'@'%' WITH GRANT OPTION",
    "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `u`@`%` WITH GRANT OPTION",
    "GRANT EXECUTE ON FUNCTION `db1`.`f` TO `u`@`%`",
    "GRANT PROXY ON ''@'' TO 'u'@'%' WITH GRANT OPTION",
    "GRANT `role`@`%` TO `u`@`%`",
  ];
  expect(MysqlUserGrants.parse(lines, { user: "u" })).toEqual({
    "*.*": ["BACKUP_ADMIN", "GRANT OPTION", "USAGE", "XA_RECOVER_ADMIN"],
    "`db1`.`t``1`": ["INSERT", "SELECT", "UPDATE (`a`, `b`)"],
    "`my\\_db`.*": ["ALL PRIVILEGES", "GRANT OPTION"],
  });
});

test("a value of PostgreSQL may go over several lines, but a bar in it cannot be told from the next column", () => {
  const head = "rolname|rolsuper|rolconfig|oid";
  expect(PostgresRoles.parse([head, "a|t|{x=1", "y}|10", "b|f||11", "(2 rows)"], {})).toEqual({
    a: { super: true, config: "{x=1\ny}", oid: 10 },
    b: { super: false, config: undefined, oid: 11 },
  });
  expect(() => PostgresRoles.parse([head, "a|b|t||12", "(1 row)"], {})).toThrow(
    'More values than columns: "a|b|t||12"',
  );
});

test("credentials of docker stay on the host", async () => {
  const directory = mkdtempSync(join(tmpdir(), "docker config "));
  try {
    const globals = { _env: { DOCKER_CONFIG: directory } };
    expect(await askFact(DockerAuths, {}, localHost(), globals)).toEqual([]);
    writeFileSync(
      join(directory, "config.json"),
      JSON.stringify(
        { auths: { "one:5000": { auth: "c2VjcmV0" }, two: { identitytoken: "s3" } }, credsStore: "x" },
        null,
        "\t",
      ),
    );
    expect(await askFact(DockerAuths, {}, localHost(), globals)).toEqual(["one:5000", "two"]);
    const line = DockerAuths.command({}).wire();
    expect((await localHost().exec(`DOCKER_CONFIG='${directory}'; ${line}`)).stdout).not.toMatch(/c2VjcmV0|s3/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("docker: a container that went away between two commands, and columns of processes", () => {
  expect(DockerContainers.parse(['[{"Id": "1"}]', "[]"], {})).toEqual([{ Id: "1" }]);
  expect(DockerContainers.parse(["[]"], {})).toEqual([]);
  expect(DockerContainerProcesses.parse(["UID   PID   CMD", "root  12    sh -c 'a  b'"], { containerId: "x" })).toEqual(
    [{ UID: "root", PID: "12", CMD: "sh -c 'a  b'" }],
  );
});

test("rules of iptables: what is turned round, quoted and unknown", () => {
  expect(
    IptablesRules.parse(
      [
        '-A INPUT ! -s 10.0.0.0/8 -m comment --comment "it\\\'s \\"x\\"" ! --ctstate NEW -j LOG --log-prefix "a b "',
        "COMMIT",
      ],
      {},
    ),
  ).toEqual([
    {
      chain: "INPUT",
      notSource: "10.0.0.0/8",
      extras: ["-m", "comment", "--comment", 'it\'s "x"', "!", "--ctstate", "NEW"],
      jump: "LOG",
      logPrefix: "a b ",
    },
  ]);
});

test("ufw: its rules as it writes them, and its settings while it is off", () => {
  const rules = [
    "Added user rules (see 'ufw status' for running firewall):",
    "ufw limit 22/tcp",
    "ufw route allow in on eth0 out on eth1 to any port 80",
    "ufw deny log out on eth0 to 192.0.2.1 app 'Mail submission' comment 'a b'",
    "ufw allow from 192.0.2.2 port 5 to any port 6 proto tcp",
  ];
  expect(UfwRules.parse(rules, {})).toEqual([
    { action: "limit", direction: "in", port: "22", proto: "tcp" },
    { action: "allow", direction: "route", interface: "eth0", outInterface: "eth1", port: "80" },
    {
      action: "deny",
      direction: "out",
      log: "log",
      interface: "eth0",
      to: "192.0.2.1",
      app: "Mail submission",
      comment: "a b",
    },
    { action: "allow", direction: "in", from: "192.0.2.2", fromPort: "5", port: "6", proto: "tcp" },
  ]);
  expect(UfwStatus.parse(["Status: inactive", 'DEFAULT_INPUT_POLICY="DROP"', "LOGLEVEL=off"], {})).toEqual({
    active: false,
    default: { incoming: "deny" },
  });
});

test("SELinux: the later of two rules for a target counts, and others that only contain it do not", () => {
  const rule = (target: string, type: string) =>
    `${target}                    all files          system_u:object_r:${type}:s0:c0.c1 `;
  expect(
    FileContextMapping.parse([rule("/etc/web", "a_t"), rule("/web", "b_t"), rule("/web", "c_t"), "/web = /srv"], {
      target: "/web",
    }),
  ).toEqual({ user: "system_u", role: "object_r", type: "c_t", level: "s0:c0.c1" });
  expect(SEPorts.parse(["a_port_t   tcp   5, 7-8", "unreserved_port_t tcp 1024-65535", "noise"], {})).toEqual({
    tcp: { 5: "a_port_t", 7: "a_port_t", 8: "a_port_t" },
  });
});

test("OpenVZ containers by number; a value of SOPS is a secret", () => {
  expect(OpenvzContainers.parse(['[{"ctid": 101, "status": "running", "ip": ["10.0.0.1"]}]'], {})).toEqual({
    101: { status: "running", ip: ["10.0.0.1"] },
  });
  const value = SopsKey.parse(["two", "lines"], { secretsFile: "x", key: "k" });
  expect([value?.reveal(), String(value)]).toEqual(["two\nlines", "***"]);
  expect(SopsKey.parse(["null"], { secretsFile: "x", key: "k" })).toBeUndefined();
});
