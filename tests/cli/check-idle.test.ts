/** Statements that look as if they did something. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { checkSnippets, type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);

const IDLE = {
  command: "A command that is only written down does nothing",
  uncalled: "What is named and not called does nothing",
} as const;

const OWN = (steps: string): string =>
  `const own = operation({ name: "own.x", async *steps(h) { ${steps}\nyield sh\`true\`; } });\nown();`;

const WRONG: readonly Snippet<keyof typeof IDLE>[] = [
  ["«sh`echo x`;", "command"],
  ["if (host.name) «sh`echo x`;", "command"],
  ["host.name === 'a' && «sh`echo x`;", "command"],
  ["host.name === 'a' ? «sh`echo x` : «sh`echo y`;", "command", "command"],
  ["const update = sh`apt-get update`;\n«update;", "command"],
  ["const commands = { update: sh`apt-get update` };\n«commands.update;", "command"],
  ["import { Shell } from 'tsinfra';\n«new Shell(['true'], []);", "command"],
  ["import { upload } from 'tsinfra';\n«upload({ content: 'x' }, '/f');", "command"],
  ["import { withArguments } from 'tsinfra';\n«withArguments(sh`true`, { _sudo: true });", "command"],
  ["deploy('Own', () => { «sh`echo x`; })();", "command"],
  ["host.when(() => true, () => { «sh`echo x`; });", "command"],
  [OWN("«sh`echo x`;"), "command"],
  [OWN("if (h.name) «sh`echo x`;"), "command"],
  [OWN("for (const name of ['a']) «sh`echo ${name}`;"), "command"],
  [OWN("const update = () => sh`apt-get update`;\n«update();"), "command"],
  [
    "async function* setup() { «sh`echo x`; yield sh`true`; }\nconst own = operation({ name: 'a.b', steps: setup });\nown();",
    "command",
  ],
  ["«server.shell;", "uncalled"],
  ["import { shell } from 'tsinfra/operations/server';\n«shell;", "uncalled"],
  ["if (host.name) «server.shell;", "uncalled"],
  ["host.name === 'a' && «files.put;", "uncalled"],
  ["«role;", "uncalled"],
  ["«install;", "uncalled"],
  ["const main = () => { files.put({ content: 'x', dest: '/f' }); };\n«main;", "uncalled"],
  ["const roles = { web: role };\n«roles.web;", "uncalled"],
  ["«host.getFact;", "uncalled"],
  ["const handlers = { flush() { files.put({ content: 'x', dest: '/f' }); } };\n«handlers.flush;", "uncalled"],
  ["const handlers = { flush: () => console.log('a') } as const;\nif (host.name) «handlers.flush;", "uncalled"],
  ["const flush = () => console.log('a');\nconst handlers = { flush };\n«handlers.flush;", "uncalled"],
  // Awaited.
  ["await «dig;", "uncalled"],
  ["await «install;", "uncalled"],
  ["await «role;", "uncalled"],
  ["await «server.shell;", "uncalled"],
  ["host.name === 'a' && (await «dig);", "uncalled"],
  ["if (host.name) await «dig;\nelse await «install;", "uncalled", "uncalled"],
  ["const main = () => { files.put({ content: 'x', dest: '/f' }); };\nawait «main;", "uncalled"],
  [
    "const handlers = { flush() {}, async later() {} };\nawait «handlers.flush;\nawait «handlers.later;",
    "uncalled",
    "uncalled",
  ],
  ["await «new Site().install;", "uncalled"],
];

const RIGHT: readonly string[] = [
  OWN("yield sh`echo x`;"),
  OWN("const update = sh`apt-get update`;\nyield update;"),
  OWN("yield* server.shell.steps(h, { commands: [sh`echo x`] });"),
  OWN("const all = [sh`a`];\nall.push(sh`b`);\nyield* all;"),
  OWN("(yield sh`true`);"),
  "const all = [sh`a`];\nconst add = (command: (typeof all)[number]) => { all.push(command); return command; };\nadd(sh`b`);\nserver.shell({ commands: all });",
  "server.shell({ commands: [sh`echo ${host.name}`] });",
  "let command = sh`a`;\ncommand = sh`b`;\nserver.shell({ commands: command });",
  "void sh`echo x`;",
  "console.log(`${sh`echo x`}`);",
  "const own = { tag: (text: TemplateStringsArray) => console.log(text) };\nown.tag`x`;",
  "const done = server.shell({ commands: ['true'] });\ndone;",
  "class Site2 { static count = 1; }\nSite2;\nSite2.count;",
  "const anything: any = host;\nanything;\nanything.whatever;",
  "const seen = { get ok() { return (value: string) => value; } };\nseen.ok;",
  "const handlers = { get flush() { return () => console.log('a'); }, name: 'a' };\nhandlers.flush;\nhandlers.name;",
  "const waiting = dig();\nawait waiting;\nawait host.name;\nawait new Site().address;",
  "const later: Promise<void> | (() => void) = Promise.resolve();\nawait later;\nlet ready: (() => Promise<void>) | undefined;\nawait ready?.();\nawait ready;",
  "const anything: any = host;\nawait anything;\nawait anything.flush;",
  "const pick = await (host.name === 'a' ? dig : later);\nawait pick();\nconst table: Record<string, () => void> = {};\nconst one = await table['a'];\none?.();",
  "const done = server.shell({ commands: ['true'] });\nawait done;\nconst thenable = Object.assign(() => {}, { then: (go: (value: number) => void) => go(1) });\nawait thenable;",
  "const job = { kind: 'shell', name: 'a' };\njob;",
];

test("a command that nobody runs and an operation that nobody calls are found", async () => {
  expect(await wrongly(WRONG, IDLE)).toEqual([]);
});

test("with what to do", async () => {
  const found = await checkSnippets([OWN("sh`echo x`;"), "sh`echo x`;", "server.shell;"]);
  expect(["0.ts", "1.ts", "2.ts"].map(name => found.get(name)?.map(({ hint }) => hint))).toEqual([
    ["Put `yield` before it"],
    ["Yield it in the steps of an operation, or give it to one: `server.shell({ commands: [sh`…`] })`"],
    ["Call it: `server.shell(…)`"],
  ]);
});

test("what is run, passed on or of use otherwise is left alone", async () => {
  const found = await checkSnippets(RIGHT);
  expect([...found].map(([name, findings]) => [name, findings.map(({ message }) => message)])).toEqual([]);
});
