/** A function that stands where its answer is meant: it is always true. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory } from "../support/checking.ts";
import { checkSnippets, type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);
checksFiles();

const MESSAGES = { always: "A function stands here in place of its answer, and a function is always true" } as const;

const FILE = "files.file({ path: '/f' });";
/** Two operations, and what comes behind them. */
const after = (code: string): string =>
  `import { anyChanged, allChanged, type Condition } from 'tsinfra'; import { systemd } from 'tsinfra/operations'; const a = files.file({ path: '/a' }), b = files.file({ path: '/b' }), all = [a, b];\n${code}\nexport { allChanged, anyChanged, all, a, b, systemd, type Condition };`;
const X = "server.shell({ commands: ['x'], _if: ";

const WRONG: readonly Snippet<keyof typeof MESSAGES>[] = [
  // Of handles, in conditions.
  [`${X}() => !«a.didChange });`, "always"],
  [`${X}() => !«b.didNotChange });`, "always"],
  [`${X}() => !!«a.didSucceed });`, "always"],
  [`${X}() => Boolean(«a.didError) });`, "always"],
  [`${X}() => !«anyChanged(a) });`, "always"],
  [`${X}() => !«allChanged(a, b) });`, "always"],
  [`${X}() => «a.didChange && b.didChange() });`, "always"],
  [`${X}() => b.didChange() && !«a.didChange });`, "always"],
  [`${X}() => («a.didChange ? true : false) });`, "always"],
  [`${X}() => { if («a.didChange) return true; return false; } });`, "always"],
  [`${X}() => !a['didChange']() && !«a['didChange'] });`, "always"],
  [`${X}() => !(«a.didChange && «b.didChange) });`, "always", "always"],
  [`const changed = anyChanged(a, b);\n${X}() => !«changed });\n${X}changed });`, "always"],
  [`const { didChange } = a;\n${X}() => !«didChange });\n${X}didChange });`, "always"],
  [`const done = deploy('Own', () => { ${FILE} })();\n${X}() => !«done.didChange });`, "always"],
  [`const done = await local.include('./0.ts');\n${X}() => !«done.didChange });`, "always"],
  [`const isWeb = () => host.name === 'web';\n${X}() => !«isWeb });\n${X}isWeb });`, "always"],
  [`const isWeb = (one: Host) => one.name === 'web';\nif (!«isWeb) console.log(isWeb);`, "always"],
  [`function isWeb() { return host.name === 'web'; }\n${X}() => !«isWeb });\n${X}isWeb });`, "always"],
  [`const isWeb = async () => (await dig()) === 'web';\nif (!«isWeb) ${FILE}`, "always"],
  // Where a condition is put together.
  [`${X}«a.didChange && b.didChange });`, "always"],
  [`${X}«a.didChange || b.didChange });`, "always"],
  [`${X}«anyChanged(a, b) && a.didChange });`, "always"],
  [`${X}«a.didChange && «b.didChange && a.didNotChange });`, "always", "always"],
  ["host.when(«a.didChange && b.didChange, () => {});", "always"],
  ["systemd.service({ service: 'x', restarted: «a.didChange || b.didChange });", "always"],
  ["systemd.service({ service: 'x', restarted: !!«a.didChange });", "always"],
  ["systemd.service({ service: 'x', restarted: «a.didChange ? true : false });", "always"],
  // Of lists.
  [`${X}() => all.some(one => «one.didChange) });`, "always"],
  [`${X}() => all.every(one => «one.didChange) });`, "always"],
  [`${X}() => all.filter(one => «one.didChange).length > 0 });`, "always"],
  [`${X}() => all.find(one => «one.didChange) !== undefined });`, "always"],
  [`${X}() => all.some(one => { return «one.didChange; }) });`, "always"],
  [`${X}() => all.some(({ didChange }) => «didChange) });`, "always"],
  [`${X}() => all.some(one => !«one.didChange) });`, "always"],
  [`${X}() => all.map(one => one.didChange).some(«Boolean) });`, "always"],
  [`${X}() => all.map(one => one.didChange).some(one => «one) });`, "always"],
  [`const ask = (one: typeof a) => one.didChange;\n${X}() => all.some(«ask) });`, "always"],
  ["systemd.service({ service: 'x', restarted: all.some(one => «one.didChange) });", "always"],
  ["systemd.service({ service: 'x', restarted: all.every(one => «one.didChange) });", "always"],
  // Elsewhere.
  [`if («a.didChange) ${FILE}`, "always"],
  [`if (!«a.didChange) ${FILE}`, "always"],
  [`while («a.didChange) ${FILE}`, "always"],
  [`do { ${FILE} } while (!«a.didChange);`, "always"],
  [`for (; !«a.didChange; ) ${FILE}`, "always"],
  ["console.log(«a.didChange ? 'a' : 'b');", "always"],
  [`if (host.name === 'a' && «a.didChange) ${FILE}`, "always"],
  [`ts.call({ function() { if («a.didChange) ${FILE} } });`, "always"],
  [`ts.call({ function() { if («anyChanged(a)) ${FILE} } });`, "always"],
  [`const role2 = (one: typeof a) => { if (!«one.didChange) ${FILE} };\nrole2(a);`, "always"],
  ["const set = (cond: Condition) => { if (!«cond) return; console.log('a'); };\nset(a.didChange);", "always"],
  // Of others: true or false, and asked without anything.
  [
    "import { readdirSync } from 'node:fs';\nconsole.log(readdirSync('/', { withFileTypes: true }).filter(entry => «entry.isFile));",
    "always",
  ],
  ["import { statSync } from 'node:fs';\nif (!«statSync('/').isDirectory) console.log('no');", "always"],
  [`class Own { isReady() { return true; } }\nconst own = new Own();\nif (!«own.isReady) ${FILE}`, "always"],
].map(([code = "", ...found]) => [after(code), ...(found as "always"[])]);

const RIGHT: readonly string[] = [
  `${X}a.didChange });`,
  `${X}[a.didChange, b.didChange] });`,
  `${X}all.map(one => one.didChange) });`,
  `${X}() => !a.didChange() });`,
  `${X}() => a.didChange() && b.didChange() });`,
  `${X}() => !anyChanged(a)() });`,
  `${X}() => all.some(one => one.didChange()) });`,
  `${X}() => all.filter(one => one.didChange()).length > 0 });`,
  `${X}host.name === 'a' ? a.didChange : b.didChange });`,
  `const isFirst = host.name === 'a';\nserver.shell({ commands: ['x'], ...(isFirst && { _if: a.didChange }) });`,
  "systemd.service({ service: 'x', restarted: a.didChange, reloaded: host.name === 'a' || b.didChange });",
  "systemd.service({ service: 'x', restarted: host.name === 'a' && b.didChange });",
  // What may be missing.
  `const op = host.name === 'a' ? a : undefined;\nif (op?.didChange) ${X}op.didChange });\n${X}op?.didChange ?? (() => false) });`,
  `const conds: Condition[] = [];\nconst first = conds[0];\nif (first) ${X}first });\nif (!conds[0]) ${FILE}`,
  `const byName: Record<string, Condition> = {};\n${X}byName['a'] || a.didChange });\n${X}byName.b ? byName.b : a.didChange });`,
  `const set = (options: { done?: () => boolean } = {}) => { if (options.done) options.done(); if (!options.done) ${FILE} };\nset();`,
  `const set = (done?: () => boolean) => { if (!done) return; ${X}done }); };\nset();`,
  `const set = (done: Condition | false) => { if (done) ${X}done }); };\nset(false);`,
  "const set = (restarted: boolean | Condition) => (restarted ? 'a' : 'b');\nset(a.didChange);",
  "const set = (one: { didChange?: () => boolean }) => !one.didChange;\nset({});",
  "let asked: Condition | undefined;\nif (!asked) asked = a.didChange;\nconsole.log(asked);",
  "console.log([host.name === 'a' && a.didChange, b.didChange].filter(one => one !== false), [host.name === 'a' ? a.didChange : undefined].filter(Boolean));",
  // A list from which nothing is missing may be asked all the same.
  "const conds: Condition[] = [a.didChange];\nconsole.log(conds.filter(Boolean), conds.filter(one => one));",
  // Asked for, and then called or passed on.
  "if (process.stdin.setRawMode) process.stdin.setRawMode(true);\nif (!process.stdin.setRawMode) console.log('no');",
  "if (process.stdout.hasColors && process.stdout.hasColors()) console.log('yes');\nconst colors = !process.stdout.hasColors;\nconsole.log(colors);",
  "console.log(!!Bun.which, !globalThis.fetch, Boolean(structuredClone), !Array.prototype.at);",
  "console.log(!process.getuid || process.getuid() === 0, typeof process.getuid === 'function');",
  "console.log(typeof a.didChange, typeof a.didChange === 'function' && a.didChange);",
  "const set = (cond: Condition) => { if (!cond) throw new Error('none'); return () => cond(); };\nset(a.didChange);",
  "const set = (options: { cond: Condition }) => { const cond = options.cond || (() => true); return cond; };\nset({ cond: a.didChange });",
  `const set = (options: { cond: Condition }) => { if (!options.cond) throw new Error('none'); ${X}options.cond }); };\nset({ cond: a.didChange });`,
  "class Own { #cond: Condition; constructor(cond: Condition) { this.#cond = cond; } isSet() { return !!this.#cond; } ask() { return this.#cond(); } }\nconsole.log(new Own(a.didChange).isSet());",
  `ts.call({ function() { if (a.didChange && a.didChange()) ${FILE} } });`,
  "const plugins: { name: string; test: Condition }[] = [];\nconsole.log(plugins.filter(one => one.test).map(one => one.test));",
  // What it is the compiler does not know.
  `const loose: any = a;\nif (!loose.didChange) ${FILE}`,
  "const load = <T>(name: string): T => JSON.parse(name) as T;\nconst cond = load<Condition>('x');\nif (!cond || !load<Condition>('y')) throw new Error('none');\nconsole.log(cond);",
  "const take = <T>(value: T) => !value;\ntake(a.didChange);",
  "const take = <T extends () => boolean>(value: T | undefined) => !value;\ntake(a.didChange);",
  "const take = (value: unknown) => (typeof value === 'function' && value ? 'f' : !value);\ntake(a.didChange);",
  "const isOwn = (value: unknown): value is Condition => typeof value === 'function';\nconst take = (value: boolean | Condition) => (isOwn(value) ? value() : !value);\ntake(a.didChange);",
  "const fail = (): never => { throw new Error('no'); };\nconst take = (make: () => any) => (make ? make : fail);\nconsole.log(take(() => 1));",
].map(after);

test("a function in place of its answer is found, where it stands", async () => {
  expect(await wrongly(WRONG, MESSAGES)).toEqual([]);
});

test("a function that is passed on, called or that may be missing is left alone", async () => {
  const found = await checkSnippets(RIGHT);
  const wrong = RIGHT.flatMap((code, index) => {
    const messages = (found.get(`${index}.ts`) ?? []).map(({ message, hint }) => `${message}: ${hint}`);
    return messages.length === 0 ? [] : [{ code, messages }];
  });
  expect(wrong).toEqual([]);
});

const LATER = "Before operations have run nobody can answer: write ";
const HINTS: readonly (readonly [code: string, ...hints: string[]])[] = [
  [`${X}() => !a.didChange });`, "Call it: `a.didChange()`"],
  [`${X}() => !anyChanged(a, b) });`, "Call it: `anyChanged(a, b)()`"],
  [`${X}() => all.some(one => one.didChange) });`, "Call it: `one.didChange()`"],
  [`${X}() => all.map(one => one.didChange).some(Boolean) });`, "Call each: `some(one => one())`"],
  [
    `const ask = (one: typeof a) => one.didChange;\n${X}() => all.some(ask) });`,
    "Call each: `some(one => ask(one)())`",
  ],
  [`ts.call({ function: () => { if (all.some(one => one.didChange)) ${FILE} } });`, "Call it: `one.didChange()`"],
  [`const isWeb = () => host.name === 'web';\nif (!isWeb) ${FILE}`, "Call it: `isWeb()`"],
  [`const isWeb = (one: Host) => one.name === 'web';\nif (!isWeb) ${FILE}`, "Call it: `isWeb(…)`"],
  [`const isWeb = async () => (await dig()) === 'web';\nif (!isWeb) ${FILE}`, "Call it: `await isWeb()`"],
  [`${X}a.didChange && b.didChange });`, `${LATER}\`_if: [a.didChange, b.didChange]\``],
  [`${X}a.didChange || b.didChange });`, `${LATER}\`_if: anyChanged(a, b)\``],
  [
    `${X}a.didChange || b.didChange || all[0]!.didChange });`,
    `${LATER}\`_if: anyChanged(a, b, all[0]!)\``,
    `${LATER}\`_if: anyChanged(a, b, all[0]!)\``,
  ],
  [`${X}a.didChange || b.didError });`, `${LATER}\`_if: () => a.didChange() || b.didError()\``],
  [
    "systemd.service({ service: 'x', restarted: a.didChange && b.didChange });",
    `${LATER}\`restarted: () => a.didChange() && b.didChange()\``,
  ],
  [
    "systemd.service({ service: 'x', restarted: a.didChange || b.didChange });",
    `${LATER}\`restarted: anyChanged(a, b)\``,
  ],
  ["systemd.service({ service: 'x', restarted: !!a.didChange });", `${LATER}\`restarted: a.didChange\``],
  ["systemd.service({ service: 'x', restarted: !a.didChange });", `${LATER}\`restarted: () => !a.didChange()\``],
  [
    "systemd.service({ service: 'x', restarted: all.some(one => one.didChange) });",
    `${LATER}\`restarted: anyChanged(all)\``,
  ],
  [
    "systemd.service({ service: 'x', restarted: all.every(one => one.didChange) });",
    `${LATER}\`restarted: allChanged(all)\``,
  ],
  [
    "systemd.service({ service: 'x', restarted: all.some(one => one.didError) });",
    `${LATER}\`restarted: () => all.some(one => one.didError())\``,
  ],
  ["host.when(a.didChange && b.didChange, () => {});", `${LATER}\`() => a.didChange() && b.didChange()\``],
  [`if (a.didChange) ${FILE}`, `${LATER}\`_if: a.didChange\`, or call it in \`ts.call\``],
  [`if (!anyChanged(a)) ${FILE}`, `${LATER}\`_if: () => !anyChanged(a)()\`, or call it in \`ts.call\``],
];

test("with what to write: called once operations have run, a condition before", async () => {
  const found = await checkSnippets(HINTS.map(([code]) => after(code)));
  expect(HINTS.map(([code], index) => [code, ...(found.get(`${index}.ts`) ?? []).map(({ hint }) => hint)])).toEqual(
    HINTS.map(line => [...line]),
  );
});

const TYPED: readonly (readonly [code: string, hint: string])[] = [
  [`${X}() => a.didChange });`, "Give the inner function itself as the condition, or call it"],
  [`${X}[() => anyChanged(a)] });`, "Give the inner function itself as the condition, or call it"],
  [`${X}() => host.name === 'a' && a.didChange });`, "Give the inner function itself as the condition, or call it"],
  ["host.when(() => a.didChange, () => {});", "Give the inner function itself as the condition, or call it"],
  [
    "systemd.service({ service: 'x', restarted: () => a.didChange });",
    "Give the inner function itself as the condition, or call it",
  ],
  [`${X}a });`, "Pass its didChange"],
  ["systemd.service({ service: 'x', restarted: a });", "Pass its didChange"],
  [`const done = deploy('Own', () => { ${FILE} })();\n${X}done });`, "Pass its didChange"],
  [`${X}anyChanged(a.didChange) });`, "Pass the handle itself, not its didChange"],
];

test("with the words of a run, where the types tell", async () => {
  const found = await checkSnippets(TYPED.map(([code]) => after(code)));
  expect(TYPED.map(([code], index) => [code, ...(found.get(`${index}.ts`) ?? []).map(({ hint }) => hint)])).toEqual(
    TYPED.map(line => [...line]),
  );
});

test("once, where the compiler says that it is always true as well", async () => {
  const cwd = await directory({
    "deploy.ts": `import { files, server } from "tsinfra/operations";\nconst a = files.file({ path: "/a" });\n${X}() => a.didChange ? true : false });\n`,
  });
  expect(await check(cwd, "deploy.ts")).toEqual([`deploy.ts:3:44 ${MESSAGES.always} (Call it: \`a.didChange()\`)`]);
});
