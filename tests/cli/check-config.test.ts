/** What a config says, and what is wrong with it. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { loadConfigFile } from "../../src/config/index.ts";
import { createConnectors } from "../../src/connectors/index.ts";
import { dataKeysOf } from "../../src/inventory/index.ts";
import { planOfDirectory } from "../../src/cli/check/index.ts";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const CAN = "can: { pty: false, stdin: true, rsync: false, users: false }";

describe("connectors of the project's own", () => {
  const config = (connectors: string): string => `import type { Connector } from "tsinfra";
const name = "mine";
const base = { name, summary: "Mine", dataKeys: {} };
export const noConnect = (): void => {};
export default { connectors: ${connectors} };
`;
  const problems = async (connectors: string): Promise<readonly string[]> => {
    const found = await check(await directory({ "infra.config.ts": config(connectors) }), "infra.config.ts");
    return found.flatMap(line => (/Setting "connectors"/.test(line) ? [line] : []));
  };

  test.each([
    [`[{ name: "mine", summary: "Mine", ${CAN}, dataKeys: {}, async hosts() { return []; } }]`],
    [
      `[{ name, summary: "Mine", ${CAN}, dataKeys: {}, async connect() { throw new Error("no"); } } satisfies Connector]`,
    ],
    [`[{ ...base, ${CAN}, async "hosts"() { return []; } }] satisfies readonly Connector[]`],
    [`[{ ...base, ${CAN}, hosts: async () => [] }]`],
    [`[{ ...base, ${CAN}, hosts: noConnect }, { name, ...Object(base) }, Object(base)]`],
    [`[{ ...base, get can() { return {}; }, hosts: async () => [] }]`],
  ])("are left alone: %s", async connectors => {
    expect(await problems(connectors)).toEqual([]);
  });

  test.each([
    [`[{ ...base, ${CAN} }]`, '"mine" without connect or hosts'],
    [`[{ name: "mine", async hosts() { return []; } }]`, '"mine" without can, and without dataKeys'],
    [`[{ ...base, ${CAN}, async hosts() { return []; } }, { summary: "x" }]`, "one without a name"],
    [
      `[{ ...base, name: "My own" }]`,
      'one named "My own": a name has small letters, digits and dashes, and begins with a letter',
    ],
    ["[5]", "5"],
    ["5", "5"],
  ])("that lack something are told, with what it is, by check and by a run: %s", async (connectors, found) => {
    const message = `Setting "connectors" must be a list of connectors, each with name, can, dataKeys, and connect or hosts, found ${found}`;
    const [problem] = await problems(connectors);
    expect(problem).toEndWith(` ${message}`);
    const cwd = await directory({ "infra.config.ts": config(connectors) });
    const run = loadConfigFile({ cwd, file: join(cwd, "infra.config.ts") });
    expect(
      await run.then(
        () => "",
        (error: Error) => error.message,
      ),
    ).toBe(message);
  });
});

describe("settings that there are not", () => {
  const told = async (config: string, name = "infra.config.ts"): Promise<readonly string[]> =>
    check(await directory({ [name]: config, "base.ts": "export default {};\n" }), name);

  test.each([
    ["sshUser", "sshUser"],
    ["ssh_user", "sshUser"],
    ["sshPort", "sshPort"],
    ["dockerImage", "dockerImage"],
    ["user", "sshUser"],
    ["port", "sshPort"],
    ["key", "sshKey"],
  ])("%s is host data, whatever setting is spelled like it, to check and to a run", async (key, datum) => {
    const hint = `"${datum}" is host data: for all hosts it stands in data: { ${datum}: … }`;
    const config = `export default { ${key}: "ada" };\n`;
    expect(await told(config)).toEqual([`infra.config.ts:1:18 Unknown setting "${key}" (${hint})`]);
    const typed = `import { defineConfig } from "tsinfra";\nexport default defineConfig({ ${key}: "ada" });\n`;
    expect(await told(typed)).toEqual([`infra.config.ts:2:31 Unknown setting "${key}" (${hint})`]);
    const cwd = await directory({ "infra.config.ts": config });
    const dataKeys = dataKeysOf(createConnectors().values());
    expect(await loadConfigFile({ cwd, dataKeys }).catch((error: unknown) => error)).toMatchObject({ hint });
  });

  test("environments that are misspelt, also in documents", async () => {
    const wanted = ' Unknown setting "$prodution" (Did you mean "$production"?)';
    expect(await told("export default { $prodution: { sudo: true }, $env: { lab: {} }, $test: {} };\n")).toEqual([
      `infra.config.ts:1:18${wanted}`,
    ]);
    expect(await told("$prodution:\n  sudo: true\n", "infra.config.yaml")).toEqual([`infra.config.yaml:1:1${wanted}`]);
  });

  test("files to extend that are not there", async () => {
    const [problem, ...others] = await told('export default { extends: ["./base", "./nope.ts"] };\n');
    expect(problem).toMatch(/^infra\.config\.ts:1:\d+ Config extends "\.\/nope\.ts", which does not exist in /);
    expect(others).toEqual([]);
    expect(await told('export default { extends: ["./base.ts"] };\n')).toEqual([]);
    expect(await told('const base = Bun.env.BASE ?? "x";\nexport default { extends: base };\n')).toEqual([]);
  });
});

test("an inventory that is no text is a setting of a wrong type, and nothing that is computed", async () => {
  const cwd = await directory({ "infra.config.ts": 'export default { inventory: ["@local"] };\n' });
  const { notes, findings } = await planOfDirectory(cwd, undefined);
  expect(notes).toEqual([]);
  expect(findings.map(({ message }) => message)).toEqual(['Setting "inventory" must be a string, found a list']);
});

test.each([
  ["{ A: undefined, B: null }", "A: undefined"],
  ['{ A: "x", B: null }', "B: null"],
])("variables without a value are named: %s", async (env, found) => {
  const cwd = await directory({ "infra.config.ts": `export default { env: ${env} };\n` });
  const message = `Setting "env" must be an object of strings and numbers, found ${found}`;
  expect(await check(cwd, "infra.config.ts")).toEqual([`infra.config.ts:1:18 ${message}`]);
  expect(await loadConfigFile({ cwd }).catch((error: unknown) => error)).toMatchObject({ message });
});

test.each(["limit", "exclude"])("hosts that are none, in the setting %s, are told with its place", async key => {
  const cwd = await directory({
    "infra.config.ts": `export default {\n  ${key}: "wbe" };\n`,
    "hosts.ts": 'export const web = ["@local"];\n',
    "deploy.ts": "",
  });
  const { err } = await tsinfra(cwd, "hosts.ts", "exec", "--", "true");
  expect(err).toContain(`Setting "${key}" "wbe" matches no host and no group\n  at infra.config.ts:2:3`);
  expect((await tsinfra(cwd, "hosts.ts", `--${key}`, "wbe", "exec", "--", "true")).err).toContain(
    `--${key} "wbe" matches no host and no group`,
  );
});
