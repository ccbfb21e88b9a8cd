/** Keys of host data that are no mistakes, and those that are. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const DATA = `{ ssh_user: "ada", ssh_port: 22, sshTurbo: 1 }`;
const found = async (deploy: string, data = DATA): Promise<readonly string[]> =>
  (
    await check(
      await directory({
        "infra.config.ts": 'export default { inventory: "hosts.ts" };\n',
        "hosts.ts": `export const web = { hosts: ["a"], data: ${data} };\n`,
        "roles.cjs": "module.exports = host => host.data.ssh_user;\n",
        "roles.js": "module.exports = host => host.data.ssh_user;\n",
        "data.json": "{}",
        "own.ts": "export const own = 1;\n",
        "deploy.ts": `import { host, local } from "tsinfra";\nimport { files, server } from "tsinfra/operations";\n${deploy}\nexport { files, host, local, server };\n`,
      }),
    )
  ).flatMap(line => /Unknown key "(\w+)"/.exec(line)?.[1] ?? (/ \(TS\d+\)/.test(line) ? [] : [line]));

describe("a key that is a connector's in other words", () => {
  test.each([
    ["is a mistake where nothing reads it", `server.user({ user: "x" });`, ["ssh_user", "ssh_port", "sshTurbo"]],
    [
      "or what reads data reads other keys",
      `host.data["a"]; host.data.get("b", 1);`,
      ["ssh_user", "ssh_port", "sshTurbo"],
    ],
    ["and is none where it is read", `console.log(host.data.ssh_user, host.data.get("ssh_port", 1));`, ["sshTurbo"]],
    [
      "also by taking data apart",
      `const { ssh_user, ["ssh_port"]: b } = host.data; console.log(ssh_user, b);`,
      ["sshTurbo"],
    ],
    [
      "also by taking the host apart",
      `const { data: { ssh_user, ssh_port = 1 } } = host; console.log(ssh_user, ssh_port);`,
      ["sshTurbo"],
    ],
    ["or may be, by a template", `files.template({ src: "x.j2", dest: "/x" });`, []],
    ["by a key that is computed", `for (const key of ["ssh_user"]) console.log(host.data[key]);`, []],
    [
      "by a key that is computed, with a fallback",
      `for (const key of ["ssh_user"]) console.log(host.data.get(key, ""));`,
      [],
    ],
    ["with all of them", `console.log({ ...host.data });`, []],
    ["one after the other", `for (const [key, value] of Object.entries(host.data)) console.log(key, value);`, []],
    ["with the rest of them", `const { a, ...others } = host.data; console.log(a, others);`, []],
    ["under another name", `const { data } = host; console.log(data);`, []],
    ["by what is included by a computed name", `for (const file of ["./a.ts"]) await local.include(file);`, []],
    ["by what is included by a name in a text", "await local.include(`./${host.name}.ts`);", []],
    ["by what is imported by a computed name", `for (const file of ["./a.ts"]) await import(file);`, []],
    [
      "where it is declared",
      `declare module "tsinfra" { interface HostData { ssh_user: string; "ssh_port"?: number } } host.name;`,
      ["sshTurbo"],
    ],
    [
      "where it is declared, behind members of its own",
      `declare module "tsinfra" { export interface HostData { limits: { sshTurbo: number }; "my-ssh_port": 1; /* ssh_port: 1 */ ssh_user: string } } host.name;`,
      ["ssh_port", "sshTurbo"],
    ],
    [
      "where it is declared as a part of another",
      `type More = { ssh_port: number }; interface Ours extends More { readonly ssh_user: string } declare module "tsinfra" { interface HostData extends Ours { sshTurbo(): void } } host.name;`,
      [],
    ],
    [
      "but not where it is a part of something else",
      `interface Mine { ssh_port: number } type HostDatas = { ssh_user: string }; host.name;`,
      ["ssh_user", "ssh_port", "sshTurbo"],
    ],
    ["by a package", `import { roles } from "infra-roles"; roles(host);`, []],
    ["by a package that runs by itself", `import "infra-roles"; host.name;`, []],
    ["by a package's file", `import { roles } from "@infra/roles/all.js"; roles(host);`, []],
    ["by what a package exports", `export * from "infra-roles";`, []],
    ["by a package that is imported later", `const { roles } = await import("infra-roles"); roles(host);`, []],
    ["by a package that is required", `require("infra-roles")(host);`, []],
    ["by a package that is required by TypeScript's word", `import roles = require("infra-roles"); roles(host);`, []],
    ["by a file that is required", `require("./roles.js")(host);`, []],
    ["by a file that is no program of ours", `import roles from "./roles.cjs"; roles(host);`, []],
    [
      "but not by types, the runtime, documents and files that are read",
      `import type { Roles } from "infra-roles"; import { readFileSync } from "fs"; import { join } from "node:path"; import { Database } from "bun:sqlite"; import { $ } from "bun"; import data from "./data.json"; import { own } from "./own.ts"; console.log(data, own, {} as Roles, readFileSync, join, Database, $); await local.include("./own.ts"); await import("./own.ts");`,
      ["ssh_user", "ssh_port", "sshTurbo"],
    ],
  ])("%s: %s", async (_, deploy, wanted) => {
    expect(await found(deploy)).toEqual(wanted);
  });

  test("has a hint with both ways out", async () => {
    const cwd = await directory({ "hosts.ts": 'export const web = [["a", { ssh_user: "x" }]];\n' });
    expect(await check(cwd, "hosts.ts")).toEqual([
      'hosts.ts:1:29 Unknown key "ssh_user" in the data of host "a" (Did you mean "sshUser"? If it is your own, read it in a deploy file that is checked too)',
    ]);
  });
});

test("data of one's own is no mistake, though nothing reads it and whatever it begins with", async () => {
  const own = `{ docker_users: 1, ssh_motd: 1, sshd_port: 1, podman_user: 1, docker_enabled: true, ssh: 1, constructor: 1, toString: 1 }`;
  expect(await found(`server.user({ user: "x" });`, own)).toEqual([]);
});

test("a connector's key that is mistyped is a mistake, whatever is read", async () => {
  expect(await found("console.log({ ...host.data });", '{ sshUsr: "x", dockerContaner: "y" }')).toEqual([
    "sshUsr",
    "dockerContaner",
  ]);
});

test("what data inherits is no key of it", async () => {
  const cwd = await directory({
    "hosts.ts": `export const web = [["@local", { __proto__: { x: 1 } }]];\nexport const db = { hosts: [["b", { ["__proto__"]: 1, "constructor": 2, "_toString": 3 }]] };\n`,
  });
  expect(await check(cwd, "hosts.ts")).toEqual([]);
});

test("a key that was set or asked for above is in a text, any other may not be", async () => {
  const cwd = await directory({
    "deploy.ts": `import { host } from "tsinfra";
import { server } from "tsinfra/operations";
server.shell({ commands: [\`echo \${host.data.version}\`] });
host.data.version = "1.2";
server.shell({ commands: [\`echo \${host.data.version}\`] });
if ("site" in host.data) server.shell({ commands: [\`echo \${host.data.site}\`] });
server.shell({ commands: [\`echo \${host.data.other}\`] });
`,
  });
  const missing = (line: number, key: string): string =>
    `deploy.ts:${line}:35 This text may say "undefined": there may be no host data "${key}" (Say what stands there then: \`host.data.${key} ?? "…"\`, or declare that hosts have it, with the type of its value: \`interface HostData { ${key}: … }\`)`;
  expect(await check(cwd, "deploy.ts")).toEqual([missing(3, "version"), missing(7, "other")]);
});
