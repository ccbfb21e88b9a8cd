/** What the compiler can read and no module may say: told by it, and by a run, at its place. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

setDefaultTimeout(60_000);
checksFiles();

const START = 'import { server } from "tsinfra/operations";\nlet s: string | undefined = "";\n';
const REFUSED: readonly (readonly [text: string, found: string, told: string])[] = [
  [
    "if (s !== undefined)\n  return;",
    "4:3 A 'return' statement can only be used within a function body. (TS1108)",
    "4:3",
  ],
  [
    "server.shell({ commands: [`true`] });\n\n  delete s;",
    "5:10 'delete' cannot be called on an identifier in strict mode. (TS1102)",
    "5:10",
  ],
  ["/* a\nlong one */ with (Math) {}", "4:13 'with' statements are not allowed in strict mode. (TS1101)", "4:13"],
];

test.each(REFUSED)("%s", async (text, found, told) => {
  const cwd = await directory({ "deploy.ts": `${START}${text}\n` });
  expect(await check(cwd, "deploy.ts")).toContain(`deploy.ts:${found}`);
  const { err, code } = await tsinfra(cwd, "@local", "deploy.ts");
  expect(err).toContain(`\n  at deploy.ts:${told}\n`);
  expect(err).not.toMatch(/SyntaxError|\[\d+:\d+/);
  expect(code).toBe(1);
});

test("a file in another encoding", async () => {
  const cwd = await directory({ "deploy.ts": START, "names.ts": "" });
  await Bun.write(join(cwd, "names.ts"), Buffer.from("export const name = 'caf\xe9';\n", "latin1"));
  await Bun.write(
    join(cwd, "deploy.ts"),
    `${START}import { name } from "./names.ts";\nserver.shell({ commands: name });\n`,
  );
  const said = "names.ts is not UTF-8: it has the byte 0xe9, as Latin-1 may";
  const [found] = await check(cwd, "deploy.ts");
  expect(found).toStartWith("names.ts:1:25 ");
  expect(found).toContain(said);
  expect((await tsinfra(cwd, "@local", "deploy.ts")).err).toContain(said);
});

test("what else is found is told beside a file in another encoding", async () => {
  const cwd = await directory({
    "infra.config.ts": 'export default { sudoo: true, inventory: "hosts.ts" };\n',
    "hosts.ts": 'export const web = [["@local", { sshUsr: "ada" }]];\n',
    "deploy.ts": "",
  });
  await Bun.write(
    join(cwd, "deploy.ts"),
    Buffer.from("import { host } from 'tsinfra';\nhost.log('caf\xe9');\n", "latin1"),
  );
  const places = (await check(cwd)).map(line => line.split(" ")[0]);
  expect(places).toEqual(["deploy.ts:2:14", "hosts.ts:1:34", "infra.config.ts:1:18"]);
});
