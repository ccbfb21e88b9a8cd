/** A promise that stands where its value is meant, and one that is kept for later. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { checkSnippets, type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);

const MESSAGES = {
  true: "A promise stands here in place of its value, and a promise is always true",
  there: "A promise stands here in place of its value, and a promise is never missing",
  equal: "A promise stands here in place of its value, and a promise equals nothing else",
  value: "A promise stands here in place of its value",
  values: "Promises stand here in place of their values",
  held: "There are promises in here in place of their values",
  filter: /^`(?:filter|some|every|find|findIndex|findLast)` waits for no answer, and a promise is always true$/,
  handle: "An operation stands here in place of its result",
  text: "This text holds a promise in place of its value",
  each: "`forEach` waits for nothing that its function does",
  nobody: "Nobody waits for this promise",
  deploy: "Nobody waits for this deploy",
  nobodies: "Nobody waits for these promises",
  early: /^`(?:stdout|stderrLines|didChange|didError|isCut)` is not known before the operation has run$/,
  // What the types of the language say by themselves.
  always: /^This condition will always return true since this 'Promise<.+>' is always defined/,
  overlap: /^This comparison appears to be unintentional/,
  iterator: /must have a '\[Symbol.iterator\]\(\)' method/,
  argument: /^Argument of type '.+ => Promise<.+>' is not assignable/,
} as const;

const FILE = "files.file({ path: '/f' });";

const WRONG: readonly Snippet<keyof typeof MESSAGES>[] = [
  // Whether it is true.
  [`if (!«host.getFact(Hostname)) ${FILE}`, "true"],
  [`if (!«dig()) ${FILE}`, "true"],
  [`if (!!«dig()) ${FILE}`, "true"],
  [`if (Boolean(«dig())) ${FILE}`, "true"],
  [`if (!(«chain() as unknown)) ${FILE}`, "true"],
  [`if («dig()) ${FILE}`, "always"],
  [`const w = dig();\nif («w) ${FILE}`, "always"],
  [`const w = dig();\nif (!«w) ${FILE}`, "true"],
  [`const w = host.name === 'a' ? dig() : 'b';\nif (!«w) ${FILE}`, "true"],
  [`const w: Promise<boolean> | boolean = Promise.resolve(true) as any;\nif (!«w) ${FILE}`, "true"],
  [`while (!«dig()) ${FILE}`, "true"],
  [`while («dig()) ${FILE}`, "true"],
  [`do { ${FILE} } while (!«dig());`, "true"],
  [`for (; «dig(); ) ${FILE}`, "true"],
  [`if (host.name === 'a' && !«dig()) ${FILE}`, "true"],
  [`if (host.name === 'a' || «dig()) ${FILE}`, "always"],
  ["const name = «dig() || 'b';\nawait name;", "true"],
  ["const name = «dig() && 'b';\nconsole.log(name);", "always"],
  ["const name = «dig() ?? 'b';\nawait name;", "there"],
  ["const name = «dig() ? 'a' : 'b';\nconsole.log(name);", "always"],
  ["const name = !«dig() ? 'a' : 'b';\nconsole.log(name);", "true"],
  [
    "const site: Site | undefined = host.name ? new Site() : undefined;\nif (!«site?.install()) console.log('no');",
    "true",
  ],
  [`if (!«local.shell('true')) ${FILE}`, "true"],
  [`if (!«fetch('http://a')) ${FILE}`, "true"],
  [`if (!«legacy(host)) ${FILE}`, "true"],
  [`const ready = async () => true;\nif (!«ready()) ${FILE}`, "true"],
  [`const own = deploy('Own', async () => { await dig(); });\nif (!«own()) ${FILE}`, "true"],
  [`const op = server.shell({ commands: ['a'] });\nif (!«op) ${FILE}`, "handle"],
  [`if (!«files.file({ path: '/g' })) ${FILE}`, "handle"],
  [`class Own { ready = dig();\nmake() { if (!«this.ready) ${FILE} } }\nnew Own().make();`, "true"],
  // Whether it equals something.
  [`if («dig() === 'a') ${FILE}`, "overlap"],
  [`if ((«dig() as any) === 'a') ${FILE}`, "equal"],
  [`if ('a' !== («dig() as any)) ${FILE}`, "equal"],
  [
    `const w: any = 'a';\nconst v: unknown = host.name;\nif («(host.name ? dig() : 'a') === 'a') ${FILE}\nconsole.log(w, v);`,
    "equal",
  ],
  [`switch («dig() as any) { case 'a': ${FILE} }`, "value"],
  [`if ((«dig() as any) > 3) ${FILE}`, "value"],
  // What is in it.
  ["const asUser = async () => ({ _sudoUser: 'a' });\nserver.shell({ commands: ['a'], ...«asUser() });", "value"],
  ["const more = { ...«dig() };\nconsole.log(more);", "value"],
  ["const more = [...(«dig() as any)];\nconsole.log(more);", "value"],
  ["console.log(...(«dig() as any));", "value"],
  ["const more = [...«dig()];\nconsole.log(more);", "iterator"],
  ["files.put({ src: new TextEncoder().encode(JSON.stringify(«dig())), dest: '/f' });", "value"],
  ["console.log(JSON.stringify({ name: «dig(), port: 1 }));", "value"],
  ["console.log(JSON.stringify([{ name: «dig() }]));", "value"],
  ["const facts = { name: dig() };\nconsole.log(JSON.stringify(«facts));", "held"],
  ["const facts = [{ name: { inner: dig() } }];\nconsole.log(JSON.stringify(«facts, null, 2));", "held"],
  ["const facts: { name?: Promise<string> } = { name: dig() };\nconsole.log(JSON.stringify(«facts));", "held"],
  ["console.log(JSON.stringify(«['a'].map(install)));", "values"],
  ["console.log(Object.keys(«dig()));", "value"],
  ["console.log(Object.values(«dig()));", "value"],
  ["console.log(Object.entries(«dig()));", "value"],
  ["console.log(Object.fromEntries(«dig() as any));", "value"],
  ["console.log(Object.assign({}, «dig()));", "value"],
  ["console.log('a' in «dig());", "value"],
  ["for (const letter of «dig()) console.log(letter);", "iterator"],
  ["for (const letter of «dig() as any) console.log(letter);", "value"],
  ["for (const key in «dig()) console.log(key);", "value"],
  ["console.log((«dig() as any).length);", "value"],
  ["const { length } = «dig() as any;\nconsole.log(length);", "value"],
  ["const [first] = «dig() as unknown as string[];\nconsole.log(first);", "value"],
  ["const w = dig();\nconst { length } = «w as any;\nconsole.log(length);", "value"],
  ["let length = 0;\n({ length } = «dig() as unknown as string);\nconsole.log(length);", "value"],
  ["console.log(Number(«dig()));", "value"],
  ["console.log(+«dig());", "value"],
  ["console.log(`a ${«dig()}`);", "text"],
  // Functions whose answers nobody waits for.
  ["console.log(['a'].filter(«async name => name === (await dig())));", "filter"],
  ["console.log(['a'].some(«async name => name === (await dig())));", "filter"],
  ["console.log(['a'].every(«async name => name === (await dig())));", "filter"],
  ["console.log(['a'].find(«async function (name) { return name === (await dig()); }));", "filter"],
  ["console.log(['a'].findIndex(«async name => name === (await dig())));", "filter"],
  ["console.log(['a'].sort(«async () => 1));", "argument"],
  ["console.log(['a'].filter(command => !«host.getFact(Which, { command })));", "true"],
  ["console.log(['a'].filter(command => «host.getFact(Which, { command })));", "true"],
  ["console.log(['a'].filter(command => { return «host.getFact(Which, { command }); }));", "true"],
  ["console.log(['a'].filter(command => command === 'a' && «host.getFact(Which, { command })));", "true"],
  ["console.log(['a'].filter(«install));", "filter"],
  ["console.log(['a'].map(install).filter(«Boolean));", "filter"],
  ["console.log(inventory.hosts.filter(one => !«one.getFact(Hostname)));", "true"],
  ["«['a'].forEach(async name => { await install(name); });", "each"],
  // Operations and facts of one's own.
  [
    "export const own = operation<{ command: string }>({\nname: 'own.own',\nasync *steps(h, { command }) { if (!«h.getFact(Which, { command })) yield sh`a`; },\n});",
    "true",
  ],
  [
    "export const own = fact<{}, string>({\nname: 'own.Own',\nempty: '',\ncommand: () => sh`a`,\nparse: lines => (!«dig() ? 'a' : lines.join()),\n});",
    "true",
  ],
  ["server.shell({ commands: ['a'], _if: () => !«host.getFact(Hostname) });", "true"],
  // Deploys and operations that are asked too early.
  [
    `const own = deploy('Own', async () => { await dig(); });\nconst done = «own();\nserver.shell({ commands: ['a'], _if: done.didChange });`,
    "deploy",
  ],
  ["const all = «['a'].map(async name => install(name));\nconsole.log(all.length);", "nobodies"],
  ["const op = server.shell({ commands: ['a'] });\nconsole.log(«op.stdout);", "early"],
  [
    "const op = await server.shell({ commands: ['a'] });\nfor (const line of «op.stderrLines) console.log(line);",
    "early",
  ],
  [`const op = server.shell({ commands: ['a'] });\nif («op.didChange()) ${FILE}`, "early"],
  [`if («server.shell({ commands: ['a'] }).didError()) ${FILE}`, "early"],
  [
    `const op = server.shell({ commands: ['a'] });\nhost.when(() => true, () => { if («op.didChange()) ${FILE} });`,
    "early",
  ],
  [`const done = deploy('Own', () => { ${FILE} })();\nif («done.didChange()) ${FILE}`, "early"],
  [`if («(await role()).didChange()) ${FILE}`, "early"],
  [`if («(await local.include('./x.ts')).didChange()) ${FILE}`, "early"],
  ["ts.call({ function() { const op = server.shell({ commands: ['a'] }); logger.info(«op.stdout); } });", "early"],
  [
    "ts.call({ async function() { const op = server.shell({ commands: ['a'] }); logger.info(String(«op.isCut)); await dig(); } });",
    "early",
  ],
  [
    `ts.call({ function: () => { const op = server.shell({ commands: ['a'] }); if («op.didChange()) ${FILE} } });`,
    "early",
  ],
];

const RIGHT: readonly string[] = [
  // Kept, and waited for later.
  "const waiting = dig();\nconst other = chain();\nconsole.log(await waiting, await other);",
  "let pending: Promise<string> | undefined;\nif (!pending) pending = dig();\nconsole.log(await pending);",
  "let pending: Promise<string> | undefined;\npending ??= dig();\nconsole.log(await pending);",
  "const cache = new Map<string, Promise<string>>();\nif (!cache.get('a')) cache.set('a', dig());\nconst known = cache.get('a') ?? dig();\nconsole.log(await known);",
  "const all = ['a'].map(async name => install(name));\nconsole.log(all.length, await Promise.all(all));",
  "const all = await Promise.all(['a'].map(async name => ({ name, found: await install(name) })));\nconsole.log(all.filter(({ found }) => found));",
  "for (const one of await Promise.all(['a'].map(install))) console.log(one);",
  "const byName = { a: dig(), b: chain() };\nconsole.log(await Promise.all(Object.values(byName)));",
  "const all = [...['a'].map(install), dig()];\nawait Promise.all(all);",
  "const { found, ...rest } = { found: dig(), a: 1 };\nconsole.log(await found, rest);",
  "const first = [dig(), chain()];\nfor (const one of first) console.log(await one);",
  "for await (const one of [dig(), chain()]) console.log(one);",
  "const steps = { ...{ first: dig() }, second: chain() };\nawait steps.first;\nawait steps.second;",
  "console.log(await (host.name === 'a' ? dig() : chain()));",
  "console.log(await (host.name === 'a' && dig()));",
  "const start = (): Promise<string> | undefined => (host.name === 'a' ? dig() : undefined);\nconsole.log((await start()) ?? 'none');",
  "console.log((await dig()) || 'a', !(await dig()), (await dig()) === 'a');",
  "void dig();\nvoid ['a'].map(install);",
  "dig().then(name => console.log(name)).catch(() => undefined);\nawait dig().then(name => (name ? 'a' : 'b'));",
  "const same = dig();\nconst other = same;\nconsole.log(same === other, await same, await other);",
  "let last: Promise<string> | undefined;\nif (last === undefined || last !== null) last = dig();\nawait last;",
  "const byName: Record<string, Promise<string>> = {};\nif (!byName['a']) byName['a'] = dig();\nconst other = byName.b || dig();\nconst known = byName['c'];\nif (!known) console.log('new');\nawait Promise.all([other, known, (byName['d'] ??= dig()), byName['e'] ?? dig()]);",
  "const all = [dig(), chain()];\nconst [first] = all;\nif (!first || !all[1]) console.log('none');\nawait Promise.all(all);",
  // One that may be a promise.
  "const take = async (value: string | Promise<string>) => { if (value instanceof Promise) return await value; return value ? value : 'b'; };\nawait take('a');",
  "const take = async (value: string | Promise<string>) => (typeof value === 'string' ? value || 'b' : await value);\nawait take('a');",
  "const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;\nconst take = async (value: string | Promise<string>) => { if (isPromise(value)) return await value; return !value || value === 'b' ? 'b' : value; };\nawait take('a');",
  "const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;\nconst take = async (value: string | Promise<string>) => { if (!isPromise(value) && !value) return 'b'; return await value; };\nawait take('a');",
  "const take = async (value: string | Promise<string>) => (value === 'skip' ? undefined : await value);\nawait take('a');",
  "const take = async <T>(value: T | undefined) => { if (!value) return; return await value; };\nawait take('a');",
  "const take = <T>(value: T) => (value ? [value] : []);\nconsole.log(take('a'));",
  "const take = (value: unknown) => (value ? JSON.stringify(value) : '');\nconsole.log(take('a'));",
  "type Shape = { kind: 'a'; value: string } | { kind: 'b'; value: Promise<string> };\nconst take = async (shape: Shape) => { if (shape.kind === 'a') return !shape.value; return !(await shape.value); };\nawait take({ kind: 'a', value: 'x' });",
  "const take = async (job: { value: string } | { later: Promise<string> }) => { if ('later' in job) return !(await job.later); return !job.value; };\nawait take({ value: '' });",
  // Conditions, handles, and what an operation may be.
  "const op = files.file({ path: '/f' });\nserver.shell({ commands: ['a'], _if: () => op.didChange() && host.name === 'a' });",
  "const op = host.name === 'a' ? files.file({ path: '/f' }) : undefined;\nif (op) server.shell({ commands: ['a'], _if: op.didChange });",
  "const op = host.name === 'a' ? files.file({ path: '/f' }) : undefined;\nserver.shell({ commands: ['a'], _if: () => op?.didChange() ?? false });",
  "const done = deploy('Own', () => { files.file({ path: '/f' }); })();\nserver.shell({ commands: ['a'], _if: done.didChange });",
  "const own = deploy('Own', async () => { await dig(); });\nconst done = await own();\nserver.shell({ commands: ['a'], _if: done.didChange });",
  "if (await files.file({ path: '/f' }).willChange) logger.info('soon');",
  "ts.call({ async function(h) { const found = await h.getFact(Which, { command: 'a' }); if (!found) server.shell({ commands: ['a'] }); } });",
  "export const own = operation<{ command: string }>({ name: 'own.own', async *steps(h, { command }) { if (!(await h.getFact(Which, { command }))) yield sh`a`; } });",
  "server.shell({ commands: ['a'], ...(host.name === 'a' ? { _sudo: true } : {}) });",
  "const common = host.name === 'a' && { _sudo: true };\nserver.shell({ commands: ['a'], ...common });",
  "const op = server.shell({ commands: ['a'] });\nts.call({ function() { logger.info(op.stdout); } });",
  "const op = server.shell({ commands: ['a'] });\nif (await op.willChange) logger.info('soon');",
  "const op = server.shell({ commands: ['a'] });\nserver.shell({ commands: ['a'], _if: () => op.stdout === 'a' && op.didSucceed() });",
  "ts.call({ async function() { const op = await server.shell({ commands: ['a'] }); logger.info(op.stdout); } });",
  "ts.call({ async function() { const op = server.shell({ commands: ['a'] }); await op; logger.info(op.stdout); } });",
  "ts.call({ async function(h) { const op = server.shell({ commands: ['a'] }); await h.getFact(Hostname); logger.info(op.stdout); } });",
  "ts.call({ function() { const op = server.shell({ commands: ['a'] }); server.shell({ commands: ['b'], _if: op.didChange }); } });",
  "async function restart() { const op = await server.shell({ commands: ['a'] }); return op.stdout; }\nts.call({ function: restart });",
  "const own = deploy('Own', async () => { await dig(); });\nconst done = own();\nawait done;\nserver.shell({ commands: ['a'], _if: done.didChange });",
  "const own = deploy('Own', async () => { const op = await server.shell({ commands: ['a'] }); return op.stdout; });\nts.call({ async function() { await own(); } });",
  "const own = deploy('Own', () => 1);\nconst done = own();\nconsole.log(done.value);",
  "const result = { stdout: 'a', didChange: () => true };\nconsole.log(result.stdout, result.didChange());",
  "const shell = await host.run(sh`a`);\nconsole.log(shell.stdout);",
  // Lists that are right.
  "console.log(['b', 'a'].filter(Boolean).filter(one => one !== 'a').sort((a, b) => a.localeCompare(b)));",
  "const all: (Promise<string> | undefined)[] = [dig(), undefined];\nawait Promise.all(all.filter(Boolean));\nawait Promise.all(all.filter(one => one));\nawait Promise.all(all.filter(one => one !== undefined));",
  "const found = (await Promise.all(['a'].map(command => host.getFact(Which, { command })))).filter(Boolean);\nconsole.log(found);",
  "class Query { async filter(test: (name: string) => Promise<boolean>) { return test('a'); } }\nconsole.log(await new Query().filter(async name => name === 'a'));",
  "console.log(await ['a', 'b'].reduce(async (before, name) => { await before; return install(name); }, Promise.resolve('')));",
  "const jobs = ['a'].map(name => ({ name, done: install(name) }));\nfor (const { name, done } of jobs) console.log(name, await done);",
  "console.log(JSON.stringify({ name: await dig(), at: new Date(), host: host.name, data: host.data.port }));",
  "console.log(JSON.stringify(inventory.hosts.map(({ name, groups }) => ({ name, groups }))));",
  "console.log(JSON.stringify(await host.getFact(Which, { command: 'a' })));",
  // What is in an object may be missing.
  "interface Settings { port: number; tls?: boolean; inner?: { any?: unknown; all?: readonly string[] } }\nconst take = (settings: Settings) => JSON.stringify(settings, null, 2);\nfiles.put({ content: take({ port: 1 }), dest: '/f' });",
  "console.log(JSON.stringify({ ports: new Map<string, number>(), at: undefined, settings: await host.getFact(Users) }));",
  "console.log(JSON.stringify(await host.getFact(Users)), JSON.stringify(await host.getFact(Directory, { path: '/' })));",
  "const { length } = (await dig()) as any;\nconsole.log(length);",
  "const [first, second] = ['a', 'b'] as const;\nlet third = dig() as unknown;\nthird = await dig();\nconsole.log(first, second, third);",
  "const loose: any = host;\nif (!loose.ready) console.log(loose.length, { ...loose }, loose === 'a', [...loose.list]);",
  "try { await dig(); } catch (error) { if (!(error instanceof Error) || error.message === 'a') throw error; }",
];

test("a promise in place of its value is found, where it stands", async () => {
  expect(await wrongly(WRONG, MESSAGES)).toEqual([]);
});

test("a promise that is kept for later, and what may be one, are left alone", async () => {
  const found = await checkSnippets(RIGHT);
  const wrong = RIGHT.flatMap((code, index) => {
    const messages = (found.get(`${index}.ts`) ?? []).map(({ message, hint }) => `${message}: ${hint}`);
    return messages.length === 0 ? [] : [{ code, messages }];
  });
  expect(wrong).toEqual([]);
});
