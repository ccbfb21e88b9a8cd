import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { withCompiler } from "../../src/cli/check/compiler.ts";
import { type Finding, inOrder } from "../../src/cli/check/finding.ts";
import { findPromises } from "../../src/cli/check/promises.ts";
import { readPrograms } from "../../src/cli/check/sources.ts";

setDefaultTimeout(60_000);

/** What every snippet may use, on its first line. */
const PRELUDE = `import { deploy, host, inventory, local, logger, type Host } from "tsinfra"; import { files, server } from "tsinfra/operations"; import { Hostname, Which } from "tsinfra/facts/server"; import { chain, dig, install, later, legacy, role, Site } from "./roles/index.ts";`;

const MODULES: Readonly<Record<string, string>> = {
  "roles/index.ts": `import { host } from "tsinfra";
import { Hostname } from "tsinfra/facts/server";
export { legacy } from "./legacy.js";
export * from "./install";
export const chain = () => dig();
export const dig = () => host.getFact(Hostname);
export const later: () => Promise<string> = async () => "later";
export class Site {
  async install(): Promise<void> {}
  name = () => host.getFact(Hostname);
  get address(): Promise<string> {
    return host.getFact(Hostname);
  }
}
`,
  "roles/install.ts": `import { deploy } from "tsinfra";
export async function install(name: string): Promise<string> {
  return name;
}
export const role = deploy("Role", async () => {
  await install("a");
});
`,
  "roles/legacy.js": `export function legacy(anything) {
  return anything.getFact("Hostname");
}
`,
};

const MESSAGES = {
  promise: "Nobody waits for this promise",
  promises: "Nobody waits for these promises",
  list: "`await` waits for one promise, and this is a list of them",
  each: "`forEach` waits for nothing that its function does",
  text: "This text holds a promise in place of its value",
  texts: "This text holds promises in place of their values",
  handle: "This text holds an operation's handle",
  function: "This text holds a function in place of its result",
  hole: /^This text may say "undefined": .+ may be missing$/,
  null: /^This text may say "null": .+ may be missing$/,
  data: /^This text may say "undefined": there may be no host data ".+"$/,
} as const;

/** A snippet, `«` before each place where something is found, and what is found there in that order. */
type Snippet = readonly [code: string, ...found: (keyof typeof MESSAGES)[]];

const WRONG: readonly Snippet[] = [
  // Promises that nobody waits for.
  ["«host.getFact(Hostname);", "promise"],
  ["«install('a');", "promise"],
  ["«chain();", "promise"],
  ["«later();", "promise"],
  ["«role();", "promise"],
  ["«legacy(host);", "promise"],
  ["«local.include('./x.ts');", "promise"],
  ["«local.shell('true');", "promise"],
  ["«new Site().install();", "promise"],
  ["const site = new Site();\n«site.address;", "promise"],
  ["const site = new Site();\nif (host.name) «site.name();", "promise"],
  ["host.name === 'a' && «install('a');", "promise"],
  ["host.name === 'a' ? «install('a') : «dig();", "promise", "promise"],
  ["(«install('a'), «dig());", "promise", "promise"],
  ["«install('a').then(name => console.log(name));", "promise"],
  ["«install('a').finally(() => {});", "promise"],
  ["«Promise.all([install('a'), install('b')]);", "promise"],
  ["«['a'].map(name => install(name));", "promises"],
  ["«['a'].map(async name => { await install(name); });", "promises"],
  ["await «['a'].map(async name => { await install(name); });", "list"],
  ["const all = «install('a');", "promise"],
  ["const all = «['a'].map(name => install(name));", "promises"],
  ["const waiting = install('a');\n«waiting;", "promise"],
  ["«['a'].forEach(async name => { await install(name); });", "each"],
  ["«['a'].forEach(async function (name) { await install(name); });", "each"],
  ["«['a'].forEach(name => install(name));", "each"],
  ["«['a'].forEach(install);", "each"],
  ["«new Map([['a', 1]]).forEach(async () => {});", "each"],
  ["«new Set(['a']).forEach(async name => { «install(name); });", "each", "promise"],
  ["const body = async () => { await install('a'); };\n«body();", "promise"],
  ["const body = () => { «install('a'); };\nbody();", "promise"],
  ["function body() { return install('a'); }\n«body();", "promise"],
  ["const own = deploy('Own', async () => { await install('a'); });\n«own({ _sudo: true });", "promise"],
  ["deploy('Own', () => { «install('a'); })();", "promise"],
  ["host.when(() => true, () => { «dig(); });", "promise"],
  ["«host.when(() => true, async () => { await dig(); });", "promise"],
  ["«host.withArguments({ _sudo: true }, async () => { await dig(); });", "promise"],
  ["for (const name of ['a']) «install(name);", "promise"],
  ["const steps = { first: async () => {} };\n«steps.first();", "promise"],
  ["const steps: Record<string, () => Promise<void>> = {};\n«steps['first']?.();", "promise"],
  ["«import('./roles/install.ts');", "promise"],
  ["«(async () => { await install('a'); })();", "promise"],
  ["(«install('a') as Promise<unknown>);", "promise"],
  ["async function* all() { «install('a'); yield 1; }\nfor await (const one of all()) console.log(one);", "promise"],
  // Promises in text.
  ["files.line({ path: '/f', line: `name ${«host.getFact(Hostname)}` });", "text"],
  ["const name = host.getFact(Hostname);\nfiles.line({ path: '/f', line: `name ${«name}` });", "text"],
  ["files.line({ path: '/f', line: 'name ' + «dig() });", "text"],
  ["files.line({ path: '/f', line: «dig() + ' is here' });", "text"],
  ["files.line({ path: '/f', line: 'a' + 'b' + «chain() + 'c' });", "text"],
  ["let line = 'name ';\nline += «dig();\nfiles.line({ path: '/f', line });", "text"],
  ["files.line({ path: '/f', line: String(«dig()) });", "text"],
  ["files.line({ path: '/f', line: `all ${«['a'].map(install)}` });", "texts"],
  ["files.line({ path: '/f', line: «['a'].map(install).join(' ') });", "texts"],
  ["files.line({ path: '/f', line: «['a', dig()].join(' ') });", "texts"],
  ["files.line({ path: '/f', line: String.raw`name ${«dig()}` });", "text"],
  ["console.log(`name ${«dig()}`);", "text"],
  ["const facts = { name: dig() };\nfiles.line({ path: '/f', line: `name ${«facts.name}` });", "text"],
  ["files.line({ path: '/f', line: `all ${«inventory.hosts.map(one => one.getFact(Hostname))}` });", "texts"],
  ["server.shell({ commands: [`echo ${«legacy(host)}`] });", "text"],
  ["server.shell({ commands: ['true'], _env: { NAME: `${«new Site().address}` } });", "text"],
  ["files.line({ path: '/f', line: `${«host.name === 'a' ? dig() : 'b'}` });", "text"],
  // Other things that are no text.
  ["const done = server.shell({ commands: ['true'] });\nfiles.line({ path: '/f', line: `${«done}` });", "handle"],
  [
    "const done = server.shell({ commands: ['true'] });\nfiles.line({ path: '/f', line: `${«done.didChange}` });",
    "function",
  ],
  ["files.line({ path: '/f', line: `name ${«dig}` });", "function"],
  ["files.line({ path: '/f', line: 'at ' + «files.put });", "function"],
  // What may be missing.
  ["files.line({ path: '/f', line: `port ${«host.data.port}` });", "data"],
  ["files.line({ path: '/f', line: `port ${«host.data['port']}` });", "data"],
  ["files.line({ path: '/f', line: 'port ' + «host.data.port });", "data"],
  ["const port = host.data.port;\nfiles.line({ path: '/f', line: `port ${«port}` });", "hole"],
  ["const { port } = host.data;\nfiles.line({ path: '/f', line: `port ${«port}` });", "hole"],
  ["const data = host.data;\nfiles.line({ path: '/f', line: `port ${«data.port}` });", "hole"],
  ["const other = inventory.getHost('b');\nfiles.line({ path: '/f', line: `port ${«other.data.port}` });", "data"],
  ["files.line({ path: '/f', line: `port ${«inventory.getHost('b').data.port}` });", "data"],
  ["const key = 'port';\nfiles.line({ path: '/f', line: `port ${«host.data[key]}` });", "hole"],
  ["export const setup = (one: Host) => files.line({ path: '/f', line: `${«one.data.port}` });", "data"],
  ["const which = /x/.exec(host.name);\nfiles.line({ path: `/srv/${«which}`, line: 'x' });", "null"],
  ["files.line({ path: '/srv/' + «null, line: 'x' });", "null"],
  ["files.line({ path: '/f', line: `user ${«process.env['USER']}` });", "hole"],
  ["const found = ['a'].find(one => one === host.name);\nfiles.line({ path: '/f', line: `${«found}` });", "hole"],
  ["files.line({ path: '/f', line: `at ${«await host.getFact(Which, { command: 'vim' })}` });", "hole"],
  ["const list: { name?: string }[] = [];\nfiles.line({ path: '/f', line: `${«list[0]?.name}` });", "hole"],
];

const RIGHT: readonly string[] = [
  "await host.getFact(Hostname);",
  "void install('a');",
  "install('a').catch(() => {});",
  "install('a').then(() => {}, () => {});",
  "install('a').catch(() => {}).finally(() => {});",
  "host.name === 'a' && install('a').catch(() => {});",
  "await Promise.all(['a'].map(install));",
  "const waiting = install('a');\nawait waiting;",
  "export const waiting = install('a');",
  "const [a, b] = await Promise.all([host.getFact(Hostname), dig()]);\nfiles.line({ path: '/f', line: `${a} ${b}` });",
  "files.put({ content: 'x', dest: '/f' });",
  "const done = files.put({ content: 'x', dest: '/f' });\nserver.shell({ commands: ['true'], _if: done.didChange });",
  "await files.put({ content: 'x', dest: '/f' });",
  "const done = await server.shell({ commands: ['true'] });\nfiles.line({ path: '/f', line: `said ${done.stdout}` });",
  "files.line({ path: '/f', line: ['a', 'b'].join(' ') });",
  "files.line({ path: '/f', line: (await Promise.all(['a'].map(install))).join(' ') });",
  "['a'].forEach(name => files.line({ path: '/f', line: name }));",
  "['a'].forEach(name => { files.line({ path: '/f', line: name }); });",
  "await role();",
  "let later2: Promise<string> | undefined;\nlater2 = dig();\nfiles.line({ path: '/f', line: await later2 });",
  "const ready = () => install('a');\nawait ready();",
  "for (const name of ['a']) await install(name);",
  "const all: Promise<string>[] = [];\nall.push(install('a'));\nawait Promise.all(all);",
  "class Each { async forEach(body: () => Promise<void>) { await body(); } }\nawait new Each().forEach(async () => {});",
  "const anything: any = host;\nanything.whatever();\nfiles.line({ path: '/f', line: `${anything.name}` });",
  "files.line({ path: '/f', line: `name ${await host.getFact(Hostname)}` });",
  "files.line({ path: '/f', line: 'name ' + (await dig()) });",
  "files.line({ path: '/f', line: `port ${host.data.port ?? 80}` });",
  "files.line({ path: '/f', line: `port ${host.data.port || 80}` });",
  "if (host.data.port) files.line({ path: '/f', line: `port ${host.data.port}` });",
  "if (typeof host.data.port === 'number') files.line({ path: '/f', line: `port ${host.data.port}` });",
  "if (host.data.port === undefined) throw new Error('no port');\nfiles.line({ path: '/f', line: `port ${host.data.port}` });",
  "const port = host.data.port;\nif (port !== undefined) files.line({ path: '/f', line: `port ${port}` });",
  "const { port = 80 } = host.data;\nfiles.line({ path: '/f', line: `port ${port}` });",
  "const port = host.data.port as number;\nfiles.line({ path: '/f', line: `port ${port}` });",
  "files.line({ path: '/f', line: host.data.port ? `port ${host.data.port}` : '' });",
  "function known(value: unknown): asserts value is string { if (typeof value !== 'string') throw new Error('?'); }\nconst name = host.data.name;\nknown(name);\nfiles.line({ path: '/f', line: `${name}` });",
  "function fail(): never { throw new Error('?'); }\nconst name = process.env['NAME'];\nif (!name) fail();\nfiles.line({ path: '/f', line: `${name}` });",
  "logger.info(`port ${host.data.port}`);",
  "files.line({ path: '/f', line: String(host.data.port) });",
  "throw new Error(`no such port: ${host.data.port}`);",
  "try { await install('a'); } catch (error) { files.line({ path: '/f', line: `${error}` }); }",
  "const names = ['a', 'b'];\nfor (let i = 0; i < 2; i++) files.line({ path: '/f', line: `${names[i]}` });",
  "const answer = { data: { port: JSON.parse('1') as unknown } };\nfiles.line({ path: '/f', line: `${answer.data.port}` });",
  "const same = <T>(value: T) => `${value}`;\nfiles.line({ path: '/f', line: same('x') });",
  "let sum = 1;\nsum += 2;\nfiles.line({ path: '/f', line: String(sum) });",
  "type Name = Awaited<ReturnType<typeof dig>>;\nconst name: Name = await dig();\nfiles.line({ path: '/f', line: name });",
  "type Path = `/srv/${string}`;\nconst path: Path = `/srv/${host.name}`;\nfiles.directory({ path });",
  "const kind = 'a' as 'a' | 'b';\nconst path: '/a' | '/b' = `/${kind}` as const;\nfiles.directory({ path });",
  "await using stack = new AsyncDisposableStack();",
  "const loose = a as any;\nvar a = 1;\nfiles.line({ path: '/f', line: `${loose}` });",
];

async function check(snippets: readonly string[]): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-promises-")));
  try {
    await mkdir(join(directory, "roles"));
    for (const [name, text] of Object.entries(MODULES)) await writeFile(join(directory, name), text);
    const paths = snippets.map((_, index) => join(directory, `${index}.ts`));
    for (const [index, path] of paths.entries())
      await writeFile(path, `${PRELUDE}\n${snippets[index]?.replaceAll("«", "")}\n`);
    const found = await withCompiler(process.env, workplace => findPromises(readPrograms(paths, directory), workplace));
    return Map.groupBy(inOrder(found), ({ at }) => basename(at.file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Line and column of each mark, in the file that the snippet becomes. */
function marks(code: string): readonly string[] {
  return code
    .split("\n")
    .flatMap((line, above) =>
      [...line.matchAll(/«/g)].map(({ index }, earlier) => `${above + 2}:${index - earlier + 1}`),
    );
}

test("what is wrong is found, where it is, by the name of its fault", async () => {
  const findings = await check(WRONG.map(([code]) => code));
  const wrong = WRONG.flatMap(([code, ...names], index) => {
    const found = findings.get(`${index}.ts`) ?? [];
    const places = marks(code);
    const isRight =
      found.length === names.length &&
      found.every(({ at, message }, nth) => {
        const wanted = MESSAGES[names[nth]!];
        return (
          places[nth] === `${at.line}:${at.column}` &&
          (typeof wanted === "string" ? message === wanted : wanted.test(message))
        );
      });
    return isRight ? [] : [{ code, found: found.map(({ at, message }) => `${at.line}:${at.column} ${message}`) }];
  });
  expect(wrong).toEqual([]);
});

test("what is right is left alone", async () => {
  const found = await check(RIGHT);
  const wrong = RIGHT.flatMap((code, index) => {
    const messages = (found.get(`${index}.ts`) ?? []).map(({ message, hint }) => `${message}: ${hint}`);
    return messages.length === 0 ? [] : [{ code, messages }];
  });
  expect(wrong).toEqual([]);
  expect([...found.keys()].filter(name => !/^\d+\.ts$/.test(name))).toEqual([]);
});
