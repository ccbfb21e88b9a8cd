/** The current host is none of the inventory's objects, and a condition cannot wait. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { checkSnippets, type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);

const HOSTS = {
  apart: /^This comparison appears to be unintentional because the types '\w+' and '\w+' have no overlap/,
  sought: /^Argument of type 'CurrentHost' is not assignable to parameter of type 'InventoryHost'/,
  case: /^Type 'InventoryHost' is not comparable to type 'CurrentHost'/,
  one: "The current host is compared with another object, which it never is",
} as const;

const COMPARED: readonly Snippet<keyof typeof HOSTS>[] = [
  ["for (const other of inventory) if («other === host) console.log(other.name);", "apart"],
  ["console.log(inventory.hosts.find(other => «other === host));", "apart"],
  ["console.log(inventory.hosts.filter(other => «host !== other));", "apart"],
  ["console.log(inventory.hosts.filter(other => «other != host));", "apart"],
  ["console.log(«inventory.getHost(host.name) === host);", "apart"],
  ["const [first] = inventory.getGroup('db');\nif («first === host) console.log(first);", "apart"],
  ["const me = host;\nconsole.log(«me === inventory.hosts[0]);", "apart"],
  ["console.log(inventory.getGroup('db').includes(«host));", "sought"],
  ["console.log(inventory.hosts.indexOf(«host));", "sought"],
  ["console.log(new Set(inventory.getGroup('db')).has(«host));", "sought"],
  ["console.log(new Map(inventory.hosts.map(one => [one, one.name] as const)).get(«host));", "sought"],
  ["switch (host) { case «inventory.getHost('a'): console.log('a'); }", "case"],
  ["const isMe = (other: Host) => «other === host;", "one"],
  ["const isMe = (other?: Host) => «host === other;", "one"],
];

const HOSTS_RIGHT: readonly string[] = [
  "console.log(inventory.hosts.find(other => other.name === host.name) ?? host);",
  "console.log(inventory.hosts[0] === inventory.getHost('a'), inventory.hosts.includes(inventory.getHost('a')));",
  "const ask = (one: Host) => one.getFact(Hostname);\nconsole.log(await ask(host), await ask(inventory.getHost('a')), await Promise.all(inventory.hosts.map(ask)));",
  "const ask = (one: Host = host) => one.getFact(Hostname);\nconsole.log(await ask());",
  "const target = host.name === 'a' ? host : inventory.getHost('a');\nconsole.log(await target.getFact(Hostname));",
  "let target: Host = host;\nif (host.name === 'a') target = inventory.getHost('b');\nconsole.log(target.name);",
  "const both = [host, inventory.getHost('a')];\nconsole.log(both.map(one => one.name));",
  "const byName = new Map<string, Host>([['a', host], ['b', inventory.getHost('b')]]);\nconsole.log(byName);",
  "const found = inventory.hosts.find(one => one.name === 'a');\nif (found !== undefined && found) console.log(found.name);",
  "const same = (one: Host, other: Host) => one === other;\nconsole.log(same(inventory.getHost('a'), inventory.getHost('b')));",
  "const { data, name, groups } = host;\nconsole.log(data.port, name, groups);",
];

test("comparing the current host with the inventory's own is found, with what to compare", async () => {
  expect(await wrongly(COMPARED, HOSTS)).toEqual([]);
  const found = await checkSnippets(COMPARED.map(([code]) => code));
  const hints = new Set([...found.values()].flat().map(({ hint }) => hint));
  expect([...hints]).toEqual([
    "`host` stands for whichever host is current and is none of the inventory's own objects: compare names, `other.name === host.name`",
  ]);
});

test("a variable for either kind of host must say so", async () => {
  const found = await checkSnippets(["let one = host;\none = inventory.getHost('a');\nconsole.log(one);"]);
  expect(found.get("0.ts")?.map(({ hint }) => hint)).toEqual([
    "Declare it as `Host`: it is either the current host or one of the inventory's",
  ]);
});

const CONDITION = "A condition is asked at once and cannot wait: ask in `ts.call`, and declare the operation there";
const FACT = "A fact waits for nothing: take what it needs as an argument, or derive it from another one";

const HINTS: readonly (readonly [code: string, hint: string])[] = [
  ["server.shell({ commands: ['a'], _if: () => host.getFact(Hostname) });", CONDITION],
  ["server.shell({ commands: ['a'], _if: () => !host.getFact(Hostname) });", CONDITION],
  ["server.shell({ commands: ['a'], _if: [() => !!dig()] });", CONDITION],
  ["server.shell({ commands: ['a'], _if() { return !dig(); } });", CONDITION],
  ["host.when(() => !dig(), () => { files.file({ path: '/f' }); });", CONDITION],
  [
    "server.shell({ commands: ['a'], _if: () => host.data.ready });",
    'A condition gives true or false: compare (`=== true`), or say what stands where there is nothing (`host.data.get("key", false)`)',
  ],
  [
    "export const Own = fact<{}, boolean>({ name: 'a.Own', empty: false, command: () => sh`a`, parse: () => !dig() });",
    FACT,
  ],
  [
    "export const Own = fact<{}, boolean>({ name: 'a.Own', empty: false, command: () => sh`a`, parse() { return !dig(); } });",
    FACT,
  ],
  ["if (!dig()) files.file({ path: '/f' });", "Put `await` before `dig()`"],
  [
    "const isDown = () => !dig();\nconsole.log(isDown());",
    "Put `await` before `dig()`, and `async` before the function around it",
  ],
  ["if (!(host.name ? dig() : 'a')) files.file({ path: '/f' });", "Put `await` before `dig()`"],
  ["console.log(JSON.stringify(['a'].map(install)));", "Write `await Promise.all(['a'].map(install))`"],
  [
    "const all = ['a'];\nconsole.log(all.filter(async name => !(await install(name))));",
    "Wait first: `const answers = await Promise.all(all.map(async … => …))`, and `all.filter((_, index) => answers[index])`",
  ],
  [
    "const all = ['a'];\nconsole.log(all.some(name => !install(name)));",
    "Wait first: `const answers = await Promise.all(all.map(async … => …))`, and `all.some((_, index) => answers[index])`",
  ],
];

const CONDITIONS_RIGHT: readonly string[] = [
  "server.shell({ commands: ['a'], _if: () => host.name === 'a' });",
  "server.shell({ commands: ['a'], _if: () => host.data.ready === true });",
  "server.shell({ commands: ['a'], _if: () => host.data.get('ready', false) });",
  "server.shell({ commands: ['a'], _if: () => Boolean(host.data.ready) && host.groups.includes('db') });",
  "const name = await dig();\nserver.shell({ commands: ['a'], _if: () => name === 'a' });",
];

test("what to do says what the place allows", async () => {
  const found = await checkSnippets(HINTS.map(([code]) => code));
  expect(
    HINTS.map(([code], index) => [
      code,
      found
        .get(`${index}.ts`)
        ?.map(({ hint }) => hint)
        .join(),
    ]),
  ).toEqual(HINTS.map(([code, hint]) => [code, hint]));
});

test("hosts that are compared by name, and conditions that know their answer, are left alone", async () => {
  const right = [...HOSTS_RIGHT, ...CONDITIONS_RIGHT];
  const found = await checkSnippets(right);
  const wrong = right.flatMap((code, index) => {
    const messages = (found.get(`${index}.ts`) ?? []).map(({ message, hint }) => `${message}: ${hint}`);
    return messages.length === 0 ? [] : [{ code, messages }];
  });
  expect(wrong).toEqual([]);
});
