/** Handles, conditions and typed data from a deploy file to this machine. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const MAIN = join(import.meta.dir, "../../src/main.ts");
let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-conditions-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function tsinfra(cwd: string, env: Readonly<Record<string, string>>, ...args: string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, TSINFRA_DEBUG: "", ...env },
  });
  const [err, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { code, err };
}

/** Says that the service runs, and writes down what else it is told. */
const SYSTEMCTL = `#!/bin/sh
case " $* " in
  *" show "*) printf 'Id=app.service\\nSubState=running\\nUnitFileState=enabled\\n' ;;
  *) echo "$*" >> "$LOG" ;;
esac
`;
const INVENTORY = `import { defineInventory, type InventoryData } from "tsinfra";

const inventory = defineInventory({ here: { hosts: ["@local"], data: { port: 8080 } } });
export default inventory;

declare module "tsinfra" {
  interface HostData extends InventoryData<typeof inventory> {}
}
`;
const DEPLOY = `import { allChanged, anyChanged, config, deploy, host, state } from "tsinfra";
import { files, server, systemd } from "tsinfra/operations";
import type {} from "./inventory.ts";

config.env = { PATH: \`\${state.cwd}/bin:/usr/bin:/bin\`, LOG: \`\${state.cwd}/log\` };

const units = deploy("Units", async (args: { name: string }) => {
  await host.getFact(File, { path: "/" });
  return files.put({ content: "[Service]\\n", dest: \`\${state.cwd}/\${args.name}.service\` });
});
const settings = async () => [files.put({ content: \`port=\${host.data.get("port", 80)}\\n\`, dest: \`\${state.cwd}/app.conf\` })];

const unit = await units({ name: "app" });
const conf = settings();
systemd.service({ name: "App", service: "app", daemonReload: unit.didChange, restarted: anyChanged(unit, conf) });
server.shell({ name: "Both", commands: "echo both >> $LOG", _if: allChanged(unit, conf) });
`.replace("import type {} from", 'import { File } from "tsinfra/facts/files";\nimport type {} from');

for (const fast of ["1", "0"])
  test(`a service is restarted when what it reads has changed (TSINFRA_FAST=${fast})`, async () => {
    const cwd = join(root, `fast-${fast}`);
    await mkdir(join(cwd, "bin"), { recursive: true });
    await writeFile(join(cwd, "bin/systemctl"), SYSTEMCTL);
    await chmod(join(cwd, "bin/systemctl"), 0o755);
    await writeFile(join(cwd, "inventory.ts"), INVENTORY);
    await writeFile(join(cwd, "deploy.ts"), DEPLOY);
    const run = () => tsinfra(cwd, { TSINFRA_FAST: fast }, "inventory.ts", "deploy.ts", "-y");
    const log = () => readFile(join(cwd, "log"), "utf8");

    const first = await run();
    expect(first).toMatchObject({ code: 0 });
    expect(first.err).toMatch(/^ {2}App +- +1 \(@local\)$/m);
    expect(await readFile(join(cwd, "app.conf"), "utf8")).toBe("port=8080\n");
    expect(await log()).toBe("daemon-reload\nrestart app.service\nboth\n");

    const second = await run();
    expect(second.code).toBe(0);
    expect(second.err).toContain("Done: nothing changed on 1 host");
    expect(await log()).toBe("daemon-reload\nrestart app.service\nboth\n");

    await writeFile(join(cwd, "app.conf"), "port=1\n");
    expect(await run()).toMatchObject({ code: 0 });
    expect(await log()).toBe("daemon-reload\nrestart app.service\nboth\nrestart app.service\n");
    expect(await tsinfra(cwd, {}, "check", "deploy.ts", "inventory.ts")).toMatchObject({
      code: 0,
      err: "Fine: 2 files checked\n",
    });
  });

test("what is wrong with a condition, a handle or a key is told at the user's line", async () => {
  const cwd = join(root, "wrong");
  await mkdir(cwd);
  const failing = async (text: string, inventory = "@local"): Promise<string> => {
    await writeFile(join(cwd, "deploy.ts"), text);
    const { code, err } = await tsinfra(cwd, {}, inventory, "deploy.ts", "-y");
    expect(code).toBe(1);
    expect(err).not.toMatch(/\/src\/|node_modules/);
    // The host is told after the message.
    return err.replaceAll(" (host @local)", "");
  };
  const imports = `import { anyChanged, deploy, host } from "tsinfra";\nimport { server, systemd } from "tsinfra/operations";\n`;
  const handle = await failing(
    `${imports}const one: any = server.shell({ commands: "true" });\nsystemd.service({ service: "a", restarted: one });\n`,
  );
  expect(handle).toContain(
    'Argument "restarted" of systemd.service must be true or false or a function, found an object\n  at deploy.ts:4:9',
  );
  expect(handle).toContain("Hint: Pass its didChange");
  const value = await failing(`${imports}server.shell({ commands: "true", _if: anyChanged(5 as any) });\n`);
  expect(value).toContain("anyChanged takes what operations and deploys return, found number 5\n  at deploy.ts:3");
  const early = await failing(
    `${imports}const web = deploy("Web", () => server.shell({ commands: "true" }))();\nif (web.didChange()) host.log("x");\n`,
  );
  expect(early).toContain(
    '"didChange" of the deploy "Web" is not known before its operations have run\n  at deploy.ts:4',
  );
  await writeFile(join(cwd, "inventory.ts"), `export const here = [["@local", { port: "80", get: 1 }]];\n`);
  expect(await failing("", "inventory.ts")).toContain('The data of host "@local" has the key "get"');
  await writeFile(join(cwd, "inventory.ts"), `export const here = [["@local", { port: "80" }]];\n`);
  expect(await failing(`${imports}host.data.get("port", 80);\n`, "inventory.ts")).toContain(
    'The data "port" must be a number like its fallback, found a text\n  at deploy.ts:3',
  );
});
