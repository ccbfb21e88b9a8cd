import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  environmentSettings,
  flagVariable,
  loadConfigFile,
  mergeSettings,
  SETTING_NAMES,
  variableOf,
} from "../../src/config/index.ts";
import { Secret } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { ConfigError } from "../../src/core/errors.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-config-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
async function directory(files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(root, String(count++));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  await mkdir(path, { recursive: true });
  return path;
}

async function failure(files: Readonly<Record<string, string>>, env?: string): Promise<ConfigError> {
  const cwd = await directory(files);
  const error = await loadConfigFile({ cwd, env }).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error(`Expected a ConfigError, got ${String(error)}`);
  return error;
}
const place = (error: ConfigError): string =>
  `${error.at?.file.split("/").at(-1)}:${error.at?.line}:${error.at?.column}`;

describe("the config file", () => {
  test("is not needed", async () => {
    expect(await loadConfigFile({ cwd: await directory({}) })).toBeUndefined();
  });

  test("is found and read, in every format", async () => {
    const formats: Record<string, string> = {
      "infra.config.ts": "const retries: number = 3;\nexport default { sudo: true, retry: retries };\n",
      "infra.config.js": "export default { sudo: true, retry: 3 };\n",
      "infra.config.json": '{ "sudo": true, "retry": 3 }\n',
      "infra.config.yaml": "sudo: true\nretry: 3\n",
      "infra.config.toml": "sudo = true\nretry = 3\n",
      ".config/infra.ts": "export default { sudo: true, retry: 3 };\n",
    };
    for (const [name, text] of Object.entries(formats)) {
      const cwd = await directory({ [name]: text });
      expect(await loadConfigFile({ cwd })).toEqual({ file: join(cwd, name), settings: { sudo: true, retry: 3 } });
    }
  });

  test("may be a function", async () => {
    const cwd = await directory({ "infra.config.ts": "export default async () => ({ parallel: 4 });\n" });
    expect((await loadConfigFile({ cwd }))?.settings).toEqual({ parallel: 4 });
  });

  test("extends local files and wins over them; lists are replaced, objects merged", async () => {
    const cwd = await directory({
      "infra.config.ts": 'export default { extends: "./base", limit: ["web"], data: { sshUser: "ada" } };\n',
      "base/infra.config.ts":
        'export default { limit: ["db", "app"], sudo: true, data: { sshUser: "bob", sshPort: 2222 } };\n',
    });
    expect((await loadConfigFile({ cwd }))?.settings).toEqual({
      limit: ["web"],
      sudo: true,
      data: { sshUser: "ada", sshPort: 2222 },
    });
  });

  test("lays null over what is extended, and maps over maps at every depth", async () => {
    const cwd = await directory({
      "infra.config.ts":
        'export default { extends: "./base", data: { app: { port: 2, tls: null }, none: null, own: null, at: new Date(0) } };\n',
      "base/infra.config.ts":
        "export default { data: { app: { port: 1, user: 'www' }, none: 5, at: { year: 1970 }, list: [1] } };\n",
    });
    expect((await loadConfigFile({ cwd }))?.settings.data).toEqual({
      app: { port: 2, user: "www", tls: null },
      none: null,
      own: null,
      at: new Date(0),
      list: [1],
    });
  });

  test("has layers per environment, off unless asked for", async () => {
    const cwd = await directory({
      "infra.config.ts": "export default { retry: 1, $production: { retry: 5 }, $env: { lab: { sudo: true } } };\n",
    });
    expect((await loadConfigFile({ cwd }))?.settings).toEqual({ retry: 1 });
    expect((await loadConfigFile({ cwd, env: "production" }))?.settings).toEqual({ retry: 5 });
    expect((await loadConfigFile({ cwd, env: "lab" }))?.settings).toEqual({ retry: 1, sudo: true });
  });

  test("names paths relative to itself", async () => {
    const cwd = await directory({
      "infra.config.ts": 'export default { inventory: "hosts.ts", groupData: "data" };\n',
      "hosts.ts": "",
    });
    expect((await loadConfigFile({ cwd }))?.settings).toEqual({
      inventory: join(cwd, "hosts.ts"),
      groupData: [join(cwd, "data")],
    });
    const list = await directory({ "infra.config.ts": 'export default { inventory: "web-1,web-2" };\n' });
    expect((await loadConfigFile({ cwd: list }))?.settings["inventory"]).toBe("web-1,web-2");
  });

  test("can be named, and must then exist", async () => {
    const cwd = await directory({ "lab.ts": "export default { retry: 2 };\n" });
    expect((await loadConfigFile({ cwd, file: "lab.ts" }))?.settings).toEqual({ retry: 2 });
    const error = await loadConfigFile({ cwd, file: "labs.ts" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).hint).toBe('Did you mean "lab.ts"?');
  });

  test("reads no .env, rc file or package.json", async () => {
    const cwd = await directory({
      "infra.config.ts": "export default { retry: 2 };\n",
      ".env": "TSINFRA_SUDO=true\n",
      ".infrarc": "retry=9\n",
      "package.json": '{ "infra": { "parallel": 9 } }',
    });
    expect((await loadConfigFile({ cwd }))?.settings).toEqual({ retry: 2 });
    expect(process.env["TSINFRA_SUDO"]).toBeUndefined();
  });
});

describe("a mistake in the config file", () => {
  test("is an unknown setting: place and nearest name", async () => {
    const error = await failure({ "infra.config.ts": "export default {\n  sudo: true,\n  paralel: 3,\n};\n" });
    expect([error.message, error.hint, place(error)]).toEqual([
      'Unknown setting "paralel"',
      'Did you mean "parallel"?',
      "infra.config.ts:3:3",
    ]);
  });

  test.each([
    ["_timeot", '"_timeout" is a global argument: as a default for all operations it stands in data: { _timeout: … }'],
    ["_chdir", '"_chdir" is a global argument: as a default for all operations it stands in data: { _chdir: … }'],
    ["_sud", 'Did you mean "sudo"?'],
  ])("is a global argument, or almost one: %s", async (key, hint) => {
    expect((await failure({ "infra.config.ts": `export default { ${key}: 1 };\n` })).hint).toBe(hint);
  });

  test("is a value of the wrong kind", async () => {
    const error = await failure({ "infra.config.ts": 'export default { retry: "three" };\n' });
    expect([error.message, place(error)]).toEqual([
      'Setting "retry" must be a whole number, 0 or more, found "three"',
      "infra.config.ts:1:18",
    ]);
  });

  test("is found in what is extended, and in other formats", async () => {
    const error = await failure({
      "infra.config.ts": 'export default { extends: "./base.ts" };\n',
      "base.ts": "export default {\n  sudoo: true };\n",
    });
    expect([error.message, place(error)]).toEqual(['Unknown setting "sudoo"', "base.ts:2:3"]);
    expect(place(await failure({ "infra.config.toml": "sudo = true\nretri = 3\n" }))).toBe("infra.config.toml:2:1");
  });

  test("is a syntax error, an exception or a missing import: the real one, with its place", async () => {
    const syntax = await failure({ "infra.config.ts": "export default {\n  sudo: ,\n};\n" });
    expect([syntax.message, place(syntax)]).toEqual(["Unexpected ,", "infra.config.ts:2:9"]);
    const thrown = await failure({ "infra.config.ts": "const a = 1;\nexport default { sudo: nope };\n" });
    expect([thrown.message, place(thrown)]).toEqual(["ReferenceError: nope is not defined", "infra.config.ts:2:24"]);
    expect(place(await failure({ "infra.config.toml": "sudo = true\n[x\n" }))).toStartWith("infra.config.toml:2:");
    expect(place(await failure({ "infra.config.yaml": "sudo: [1\nretry: 2\n" }))).toStartWith("infra.config.yaml:2:");
    const missing = await failure({
      "infra.config.ts": 'import { x } from "./gone.ts";\nexport default { sudo: x };\n',
    });
    expect([missing.message.startsWith("Cannot find module './gone.ts'"), place(missing)]).toEqual([
      true,
      "infra.config.ts:1:20",
    ]);
  });

  test("is extending what is remote or not there", async () => {
    const remote = await failure({ "infra.config.ts": 'export default { extends: "gh:acme/infra" };\n' });
    expect([remote.message, place(remote)]).toEqual(['Config cannot extend "gh:acme/infra"', "infra.config.ts:1:18"]);
    const gone = await failure({ "infra.config.ts": 'export default { extends: "./base" };\n' });
    expect([gone.message.startsWith('Config extends "./base", which does not exist'), place(gone)]).toEqual([
      true,
      "infra.config.ts:1:27",
    ]);
  });

  test("is an environment that is almost one of its own", async () => {
    const error = await failure({ "infra.config.ts": "export default { $production: { retry: 5 } };\n" }, "prodution");
    expect(error.hint).toBe('Did you mean "production"?');
  });
});

describe("the environment", () => {
  test("sets any setting by its name", () => {
    const { settings, warnings } = environmentSettings({
      TSINFRA_SUDO: "yes",
      TSINFRA_SUDO_USER: "deploy",
      TSINFRA_RETRY: "2",
      TSINFRA_LIMIT: "web, db",
      TSINFRA_DATA: '{"sshUser":"ada"}',
      TSINFRA_SHELL: "none",
      TSINFRA_DIFF: "",
      HOME: "/root",
    });
    expect(settings).toEqual({
      sudo: true,
      sudoUser: "deploy",
      retry: 2,
      limit: ["web", "db"],
      data: { sshUser: "ada" },
      shell: false,
    });
    expect(warnings).toEqual([]);
  });

  test("makes passwords secret", () => {
    const { settings } = environmentSettings({ TSINFRA_SUDO_PASSWORD: "hunter2" });
    expect(settings["sudoPassword"]).toBeInstanceOf(Secret);
    expect(JSON.stringify(settings)).not.toContain("hunter2");
  });

  test("warns of a name that is no setting, and names the nearest", () => {
    expect(environmentSettings({ TSINFRA_SUDOUSR: "x" }).warnings).toEqual([
      "Unknown environment variable TSINFRA_SUDOUSR is ignored: did you mean TSINFRA_SUDO_USER?",
    ]);
  });

  test("refuses a value that makes no sense", () => {
    expect(() => environmentSettings({ TSINFRA_PARALLEL: "many" })).toThrow(
      'Environment variable TSINFRA_PARALLEL is not usable: Setting "parallel" must be a whole number, 0 or more, found "many"',
    );
    expect(() => flagVariable("TSINFRA_YES", "perhaps")).toThrow(ConfigError);
    expect(flagVariable("TSINFRA_YES", "1")).toBe(true);
  });

  test("has a variable for every setting", () => {
    expect(new Set(SETTING_NAMES.map(variableOf)).size).toBe(SETTING_NAMES.length);
  });
});

describe("all sources together", () => {
  test("the first that has a value wins, and defaults come last", () => {
    const merged = mergeSettings([
      { retry: 1 },
      { retry: 2, sudo: true, shell: false },
      { retry: 3, sudo: false, parallel: 7 },
    ]);
    expect(merged.config).toEqual({ ...DEFAULT_CONFIG, retry: 1, sudo: true, shell: false, parallel: 7 });
  });

  test("data and env are merged by key, as layers of a file are", () => {
    const merged = mergeSettings([
      { data: { a: 1, map: { x: 1, none: null }, list: [1] } },
      { data: { a: 2, b: 2, map: { x: 2, y: 2, none: 2 }, list: [2, 3] }, env: { X: "1" } },
      { env: { X: "0", Y: "0" } },
    ]);
    expect(merged.data).toEqual({ a: 1, b: 2, map: { x: 1, y: 2, none: null }, list: [1] });
    expect(merged.config.env).toEqual({ X: "1", Y: "0" });
  });

  test("a password written in a file is secret from then on", () => {
    expect(mergeSettings([{ sudoPassword: "hunter2" }]).config.sudoPassword).toBeInstanceOf(Secret);
  });
});
