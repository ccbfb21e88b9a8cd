import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, parseCommandLine } from "../../src/cli/parse.ts";
import { type Route, routeOf } from "../../src/cli/route.ts";

let root: string;
let script: string;
let plain: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-route-"));
  script = join(root, "deploy.ts");
  plain = join(root, "plain.ts");
  await writeFile(script, "#!/usr/bin/env tsinfra\n");
  await writeFile(plain, "export {};\n");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const route = (...args: string[]): Promise<Route> =>
  routeOf(parseCommandLine(args), root, name => Promise.resolve(name === "apt" || name === "server"));
async function failure(...args: string[]): Promise<ArgumentError> {
  const error = await route(...args).catch((thrown: unknown) => thrown);
  if (error instanceof ArgumentError) return error;
  throw new Error(`Expected an ArgumentError, got ${JSON.stringify(error)}`);
}

describe("with an inventory", () => {
  test("deploy files are run", async () => {
    expect(await route("web", "a.ts", "b.ts")).toEqual({
      command: "deploy",
      inventory: "web",
      files: ["a.ts", "b.ts"],
    });
    expect(await route(plain, "a.ts")).toEqual({ command: "deploy", inventory: plain, files: ["a.ts"] });
    expect(await failure("web", "a.ts", "b.tx")).toMatchObject({ message: '"b.tx" is no deploy file' });
  });

  test("exec runs a command, its words joined", async () => {
    expect(await route("web", "exec", "--", "ls", "-la", "/tmp")).toEqual({
      command: "exec",
      inventory: "web",
      shell: "ls -la /tmp",
    });
    expect(await route("web", "exec", "uptime")).toEqual({ command: "exec", inventory: "web", shell: "uptime" });
    expect((await failure("web", "exec", "--")).message).toBe("There is no command to run");
  });

  test("facts are asked and operations run", async () => {
    expect(await route("web", "fact", "server.Hostname", "files.File", "path=/a")).toEqual({
      command: "fact",
      inventory: "web",
      words: ["server.Hostname", "files.File", "path=/a"],
    });
    expect(await route("web", "apt.packages", "vim", "present=false")).toEqual({
      command: "operation",
      inventory: "web",
      name: "apt.packages",
      words: ["vim", "present=false"],
    });
    expect(await route("web", "server.shell", "--", "-x")).toEqual({
      command: "operation",
      inventory: "web",
      name: "server.shell",
      words: ["-x"],
    });
    expect((await failure("web", "fact")).message).toBe("There is no fact to ask for");
  });

  test("debug-inventory takes nothing", async () => {
    expect(await route("web", "debug-inventory")).toEqual({ command: "debug-inventory", inventory: "web" });
    expect((await failure("web", "debug-inventory", "x")).message).toBe('Unexpected argument "x"');
  });

  test("alone there is nothing to run", async () => {
    expect((await failure("web")).message).toBe('There is nothing to run on "web"');
    expect((await failure("gone.ts")).message).toBe('There is no file "gone.ts"');
  });
});

describe("what is meant", () => {
  const told = async (...args: string[]): Promise<[string, string | undefined]> => {
    const { message, hint } = await failure(...args);
    return [message, hint];
  };

  test("is an inventory where a file exports hosts and takes nothing but types", async () => {
    await writeFile(
      join(root, "inventory.ts"),
      'import type { InventoryEntry } from "tsinfra";\nexport const web = ["web-1"];\n',
    );
    expect(await told("inventory.ts")).toEqual([
      'There is nothing to run on "inventory.ts"',
      "Write tsinfra inventory.ts DEPLOY.ts, exec -- COMMAND, fact NAME or MODULE.OPERATION",
    ]);
    for (const text of [
      'import { apt } from "tsinfra/operations";\nexport const a = 1;\n',
      "await 1;\nexport const a = 1;\n",
    ]) {
      await writeFile(join(root, "other.ts"), text);
      expect(await route("other.ts")).toMatchObject({ command: "deploy", files: ["other.ts"] });
    }
  });

  test("is exec where a command follows", async () => {
    for (const inventory of [plain, "web-1"])
      expect(await told(inventory, "--", "ls", "-l")).toEqual([
        `There is nothing to run on "${inventory}"`,
        `Write tsinfra ${inventory} exec -- ls -l`,
      ]);
  });

  test("is a command that the first word is one slip away from, unless there is such a file", async () => {
    for (const [word, command] of [
      ["chek", "check"],
      ["chekc", "check"],
      ["dosc", "docs"],
      ["exce", "exec"],
      ["Facts", "fact"],
      ["debug-inventry", "debug-inventory"],
    ] as const)
      expect(await told(word, "ok.ts")).toEqual([
        `There is no command "${word}"`,
        `Did you mean "${command}"? A host of that name is written with a comma: "${word},"`,
      ]);
    for (const words of [
      ["web", "exce", "--", "ls"],
      [plain, "exce", "--", "ls"],
    ])
      expect((await told(...words))[1]).toContain('Did you mean "exec"?');
    expect(await route("chek,", "ok.ts")).toEqual({ command: "deploy", inventory: "chek,", files: ["ok.ts"] });
    for (const host of ["ssh1", "checker", "@ssh/chek", "web"])
      expect(await route(host, "ok.ts")).toMatchObject({ inventory: host });
    await writeFile(join(root, "chek"), "");
    expect(await route("chek", "ok.ts")).toMatchObject({ inventory: "chek" });
    await rm(join(root, "chek"));
  });
});

describe("what stands where a deploy file should", () => {
  const inventory = join("hosts", "inventory.ts");
  beforeAll(async () => {
    for (const directory of ["hosts", "templates"]) await mkdir(join(root, directory));
    await writeFile(join(root, inventory), 'export const web = ["web-1"];\n');
    await writeFile(
      join(root, "hosts", "counted.ts"),
      'import { HOSTS } from "./all.ts";\nexport const web = HOSTS;\n',
    );
    await writeFile(
      join(root, "hosts", "defined.ts"),
      'import { defineInventory } from "tsinfra";\nexport default defineInventory({ web: ["web-1"] });\n',
    );
    await writeFile(join(root, "templates", "vhost.conf.j2"), "");
    await writeFile(join(root, "group.yaml"), "");
  });
  const told = async (...args: string[]): Promise<[string, string | undefined]> => {
    const { message, hint } = await failure(...args);
    return [message, hint];
  };

  test.each([["hosts/inventory.ts"], ["hosts/defined.ts"], ["web-1"]])(
    "behind %s is a file that is not there, with the nearest one",
    async first => {
      for (const word of ["deploy.tss", "deploy.t", "deploy.st", "dploy.ts2"])
        expect(await told(first, word)).toEqual([`There is no file "${word}"`, 'Did you mean "deploy.ts"?']);
      expect(await told(first, "./deploy.tss")).toEqual([
        'There is no file "./deploy.tss"',
        'Did you mean "./deploy.ts"?',
      ]);
      expect(await told(first, "plain.ts", "deploy.tss")).toEqual([
        'There is no file "deploy.tss"',
        'Did you mean "deploy.ts"?',
      ]);
    },
  );

  test("may be a file that is not there behind any other file", async () => {
    expect(await told("hosts/counted.ts", "deploy.tss")).toEqual([
      'There is no file "deploy.tss"',
      'Did you mean "deploy.ts"? A host of that name is written with a comma: "deploy.tss,"',
    ]);
  });

  test.each([["hosts/inventory.ts"], ["hosts/defined.ts"], ["web-1"]])(
    "behind %s is a file of another kind, or none at all",
    async first => {
      for (const word of ["templates/vhost.conf.j2", "group.yaml", "./group.yaml"])
        expect(await told(first, word)).toEqual([`"${word}" is no deploy file`, "Deploy files end in .ts"]);
      expect(await told(first, "templates/gone.j2")).toEqual([
        'There is no file "templates/gone.j2"',
        "Deploy files end in .ts",
      ]);
      expect(await told(first, "deploy")).toEqual(['There is no file "deploy"', 'Did you mean "deploy.ts"?']);
    },
  );

  test("is no inventory either behind a file that may be the one or the other", async () => {
    for (const first of ["hosts/counted.ts", "plain.ts"])
      expect(await told(first, "templates/vhost.conf.j2")).toEqual([
        '"templates/vhost.conf.j2" is neither a deploy file nor an inventory',
        "Write tsinfra INVENTORY DEPLOY.ts",
      ]);
  });

  test("is a misspelt operation behind hosts, and hosts behind a deploy file", async () => {
    for (const first of [inventory, "web-1"])
      expect(await route(first, "aptt.packages", "vim")).toEqual({
        command: "operation",
        inventory: first,
        name: "aptt.packages",
        words: ["vim"],
      });
    for (const hosts of ["web-1.example.com", "web-1", "group.yaml", "deploy.tss,", "@ssh/deploy.tss"])
      expect(await route("plain.ts", hosts)).toEqual({ command: "deploy", inventory: hosts, files: ["plain.ts"] });
  });
});

describe("as a program", () => {
  test("a deploy file takes an inventory, or none", async () => {
    expect(await route(script)).toEqual({ command: "deploy", inventory: undefined, files: [script] });
    expect(await route(script, "web-1,web-2")).toEqual({
      command: "deploy",
      inventory: "web-1,web-2",
      files: [script],
    });
    expect(await route(script, "hosts.ts")).toEqual({ command: "deploy", inventory: "hosts.ts", files: [script] });
    expect(await route(script, "apt.example")).toEqual({
      command: "deploy",
      inventory: "apt.example",
      files: [script],
    });
    expect((await failure(script, "web", "more")).message).toBe('Unexpected argument "more"');
  });

  test("a file without #! is the deploy unless what follows can be run on it", async () => {
    expect(await route(plain, "web-1.example.com")).toEqual({
      command: "deploy",
      inventory: "web-1.example.com",
      files: [plain],
    });
    expect(await route(plain)).toEqual({ command: "deploy", inventory: undefined, files: [plain] });
    expect(await route(plain, "apt.packages")).toEqual({
      command: "operation",
      inventory: plain,
      name: "apt.packages",
      words: [],
    });
    expect(await route(plain, "exec", "--", "id")).toEqual({ command: "exec", inventory: plain, shell: "id" });
  });
});

test("files are relative to the working directory", async () => {
  expect(await route("deploy.ts")).toEqual({ command: "deploy", inventory: undefined, files: ["deploy.ts"] });
});

test("without an inventory, verbs use the config's", async () => {
  expect(await route("exec", "--", "id")).toEqual({ command: "exec", inventory: undefined, shell: "id" });
  expect(await route("fact", "server.Hostname")).toEqual({
    command: "fact",
    inventory: undefined,
    words: ["server.Hostname"],
  });
  expect(await route("debug-inventory")).toEqual({ command: "debug-inventory", inventory: undefined });
});

test("some commands need no inventory at all", async () => {
  expect(await route("init")).toEqual({ command: "init", words: [] });
  expect(await route("types")).toEqual({ command: "types", words: [] });
  expect(await route("check", "a.ts", "b.ts")).toEqual({ command: "check", files: ["a.ts", "b.ts"] });
});
