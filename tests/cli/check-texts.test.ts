/** Texts of what JSON is made of, and promises in sets and maps. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);

const MESSAGES = {
  hole: /^This text may say "undefined": .+ may be missing$/,
  data: 'This text may say "undefined": there may be no host data "typo"',
  promise: "Nobody waits for this promise",
  promises: "Nobody waits for these promises",
  text: "This text holds a promise in place of its value",
  texts: "This text holds promises in place of their values",
  list: "`await` waits for one promise, and this is a list of them",
} as const;

const shell = (text: string): string => `server.shell({ commands: [\`echo ${text}\`] });`;
const CFG = "const cfg: { user?: { name: string; nick?: string; no: string | null } } = JSON.parse('{}');\n";

const WRONG: readonly Snippet<keyof typeof MESSAGES>[] = [
  [CFG + shell("${JSON.stringify(«cfg.user)}"), "hole"],
  [CFG + shell("${JSON.stringify(«cfg.user?.name)}"), "hole"],
  [CFG + shell("${JSON.stringify(«cfg.user?.nick, null, 2)}"), "hole"],
  [CFG + shell("${JSON.stringify(«cfg.user?.nick, ['name'])}"), "hole"],
  [`${CFG}server.shell({ commands: ["echo " + JSON.stringify(«cfg.user)] });`, "hole"],
  [shell("${JSON.stringify(«host.data.typo)}"), "data"],
  // Promises that a set or a map holds.
  ["const set = «new Set([dig()]);", "promises"],
  ["const map = «new Map([['a', dig()]]);", "promises"],
  ["const map = «new Map([['a', dig()]]);\nconsole.log(map.size);", "promises"],
  ["«new Map([['a', dig()]]);", "promises"],
  ["const map = «new Map(Object.entries({ a: dig() }));", "promises"],
  ["await «new Set([dig()]);", "list"],
  ["await «new Map([['a', dig()]]);", "list"],
  [`for (const name of new Set([dig()])) ${shell("${«name}")}`, "text"],
  [`for (const [, name] of new Map([['a', dig()]])) ${shell("${«name}")}`, "text"],
  [`const map = new Map([['a', dig()]]);\n${shell("${«map.get('a')}")}`, "text"],
  [`const set = new Set([dig()]);\n${shell("${«[...set]}")}`, "texts"],
  [
    `const set = new Set([dig()]);\nserver.shell({ commands: ["echo " + «[...set].join(" ")] });`.replace(
      "«[...set]",
      "«[...set]",
    ),
    "texts",
  ],
  [`const set = new Set([dig()]);\n${shell("${«set}")}`, "texts"],
];
const RIGHT: readonly Snippet<never>[] = [
  [CFG + shell("${JSON.stringify(cfg)} ${JSON.stringify({ user: cfg.user })} ${JSON.stringify([cfg.user])}")],
  [CFG + shell("${JSON.stringify(cfg.user ?? {})} ${JSON.stringify(cfg.user?.nick ?? null)}")],
  [
    `${CFG}if (cfg.user) { ${shell("${JSON.stringify(cfg.user)} ${JSON.stringify(cfg.user.name)} ${JSON.stringify(cfg.user.no)}")} }`,
  ],
  [`${CFG}console.log(\`\${JSON.stringify(cfg.user)}\`);`],
  [CFG + shell("${JSON.stringify(cfg.user, (_, value) => value ?? null)} ${JSON.stringify(cfg.user) ?? '{}'}")],
  [
    "const any = {} as any;\nconst unknown = {} as unknown;\n" +
      shell("${JSON.stringify(any?.b)} ${JSON.stringify(unknown)} ${JSON.stringify(host.data)}"),
  ],
  ["const set = new Set([dig()]);\nawait Promise.all(set);"],
  ["const map = new Map([['a', dig()]]);\nawait Promise.all(map.values());"],
  ["const map = new Map([['a', dig()]]);\nfor (const [, name] of map) console.log(await name);"],
  ["const map = new Map<string, Promise<string>>();\nmap.set('a', dig());\nawait map.get('a');"],
  ["const set = new Set(await Promise.all(['a'].map(name => install(name))));\n" + shell("${[...set]}")],
  [
    "const set = new Set(['a']);\nconst map = new Map([['a', 1]]);\nconst weak = new WeakMap<object, Promise<string>>();\nnew Set(); new Map();",
  ],
  [
    "const map = new Map([['a', () => dig()]]);\nawait map.get('a')?.();\nconst none = new Map([['a', async () => {}]]);",
  ],
];

test("what is found, and what is not", async () => {
  expect(await wrongly([...WRONG, ...RIGHT], MESSAGES)).toEqual([]);
});
