import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { executable } from "../support/executable.ts";
import { type Executed, spawn } from "../support/test-host.ts";

let tsinfra = "";
let directory = "";
beforeAll(async () => {
  tsinfra = await executable();
  directory = mkdtempSync(join(tmpdir(), "hostile-"));
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inDirectory = (line: string, env: Record<string, string> = {}): Promise<Executed> =>
  spawn(["sh", "-c", `cd ${directory} && ${line}`], undefined, {
    PATH: process.env.PATH,
    HOME: directory,
    TSINFRA: tsinfra,
    ...env,
  });

test("it says the version of package.json", async () => {
  expect((await spawn([tsinfra, "--version"])).stdout).toContain(version);
});

test("it reads no .env, no bunfig.toml and no node_modules/tsinfra of the directory it is started in", async () => {
  writeFileSync(join(directory, ".env"), "HOSTILE=from-dotenv\nTSINFRA_SUDO=true\n");
  for (const name of [".env.local", ".env.production", ".env.development"])
    writeFileSync(join(directory, name), "HOSTILE=from-dotenv\n");
  writeFileSync(
    join(directory, "hostile.ts"),
    `require("node:fs").writeFileSync(${JSON.stringify(join(directory, "preloaded"))}, "");`,
  );
  for (const name of ["bunfig.toml", ".bunfig.toml"])
    writeFileSync(join(directory, name), 'preload = ["./hostile.ts"]\n[run]\npreload = ["./hostile.ts"]\n');
  for (const name of ["tsinfra", "ssh2", "c12"]) {
    mkdirSync(join(directory, "node_modules", name), { recursive: true });
    writeFileSync(
      join(directory, "node_modules", name, "package.json"),
      JSON.stringify({ name, main: "index.js", exports: { ".": "./index.js", "./*": "./index.js" } }),
    );
    writeFileSync(
      join(directory, "node_modules", name, "index.js"),
      `require("node:fs").writeFileSync(${JSON.stringify(join(directory, "imported"))}, ""); exports.files = {};`,
    );
  }
  writeFileSync(
    join(directory, "deploy.ts"),
    `import { config } from "tsinfra";
import { server } from "tsinfra/operations";
import { Hostname } from "tsinfra/facts/server";
server.shell({ commands: [\`printf '%s %s' '\${process.env.HOSTILE}' '\${config.sudo}' > seen\`], _chdir: process.cwd() });
void Hostname;
`,
  );
  const ran = await inDirectory('"$TSINFRA" @local deploy.ts --yes');
  expect(ran.exitCode, ran.stderr).toBe(0);
  expect((await inDirectory("cat seen; ls preloaded imported 2>/dev/null")).stdout).toBe("undefined false");
});

test("what a deploy file imports from npm lies beside it", async () => {
  mkdirSync(join(directory, "node_modules/colours"), { recursive: true });
  writeFileSync(
    join(directory, "node_modules/colours/package.json"),
    JSON.stringify({ name: "colours", type: "module", exports: "./colours.ts" }),
  );
  writeFileSync(join(directory, "node_modules/colours/colours.ts"), "export const first: string = 'red';\n");
  writeFileSync(
    join(directory, "npm.ts"),
    `import { first } from "colours";\nimport { server } from "tsinfra/operations";\nserver.shell({ commands: [\`printf %s \${first} > colour\`], _chdir: process.cwd() });\n`,
  );
  const ran = await inDirectory('"$TSINFRA" @local npm.ts --yes');
  expect(ran.exitCode, ran.stderr).toBe(0);
  expect((await inDirectory("cat colour")).stdout).toBe("red");
});

test("an operation that is the last act of a function is told at its own line", async () => {
  writeFileSync(
    join(directory, "last.ts"),
    `import { files } from "tsinfra/operations";\nfunction site() {\n  return files.put({ src: "missing", dest: "/nowhere" });\n}\nsite();\n`,
  );
  const ran = await inDirectory('"$TSINFRA" @local last.ts --yes');
  expect(ran.exitCode).toBe(1);
  expect(ran.stdout + ran.stderr).toContain("at last.ts:3:16");
});

test("what it starts inherits no settings of its own", async () => {
  const ran = await inDirectory("\"$TSINFRA\" @local exec -- 'env | grep ^BUN_ | wc -l'");
  expect(ran.stdout + ran.stderr).toMatch(/^\s*(│ )?0$/m);
});

test("a deploy file that loops is ended by SIGTERM, and nothing is left in the directory for temporary files", async () => {
  writeFileSync(join(directory, "loops.ts"), `console.log("begun");\nwhile (true);\n`);
  const ran = await inDirectory(
    'mkdir temporary; TMPDIR=$PWD/temporary timeout --foreground -k 30 -s TERM 2 "$TSINFRA" @local loops.ts --yes; echo "code $?"; ls temporary',
  );
  expect(ran.stdout.toString()).toBe("begun\ncode 124\n");
  expect(ran.stderr.toString()).toContain("code of your files looped or blocked and did not hear");
});

test("it carries the type declarations of what deploy files import", async () => {
  writeFileSync(
    join(directory, "typed.ts"),
    `import { files } from "tsinfra/operations";\nfiles.directory({ path: "/x" });\nconsole.log(process.argv.length);\n`,
  );
  writeFileSync(
    join(directory, "mistyped.ts"),
    `import { files } from "tsinfra/operations";\nfiles.directory({ path: 1 });\n`,
  );
  const right = await inDirectory('"$TSINFRA" check typed.ts');
  expect(right.exitCode, right.stdout + right.stderr).toBe(0);
  const wrong = await inDirectory('"$TSINFRA" check mistyped.ts');
  expect(wrong.exitCode).not.toBe(0);
  expect(wrong.stdout + wrong.stderr).toContain("mistyped.ts");
});

test("it knows a promise in place of its value, and the current host among others", async () => {
  writeFileSync(
    join(directory, "forgotten.ts"),
    [
      'import { host, inventory, type Host } from "tsinfra";',
      'import { server } from "tsinfra/operations";',
      'import { Hostname } from "tsinfra/facts/server";',
      "const asUser = async () => ({ _sudo: true });",
      'if (!host.getFact(Hostname)) server.shell({ commands: ["a"], ...asUser() });',
      "console.log(inventory.hosts.filter(async one => one.name === (await host.getFact(Hostname))));",
      "console.log(inventory.hosts.filter(one => one === host));",
      "export const isMe = (one: Host) => one === host;",
    ].join("\n"),
  );
  const { stdout, stderr, exitCode } = await inDirectory('"$TSINFRA" check forgotten.ts');
  expect([...`${stdout}${stderr}`.matchAll(/^ {2}at (.*)$/gm)].map(([, place]) => place)).toEqual([
    "forgotten.ts:5:6",
    "forgotten.ts:5:65",
    "forgotten.ts:6:36",
    "forgotten.ts:7:43",
    "forgotten.ts:8:36",
  ]);
  expect(exitCode).toBe(1);
});
