/** Arguments to begin with: those of the examples in the docs, and those of the cases in `fixtures`. @module */
import type { Reference } from "../../src/reference/index.ts";
import { parseFactCase } from "../cases/fact-case.ts";
import { caseFiles, readCase, withCase } from "../cases/files.ts";
import { answerOf, argumentsOf, type OperationCase, parseOperationCase } from "../cases/operation-case.ts";
import { encode, normal } from "../cases/values.ts";
import type { Arguments } from "./places.ts";
import { nothing, type World } from "./worlds.ts";

/** Arguments, and where they make sense. */
export interface Base {
  readonly args: Arguments;
  /** Only in this world; absent: in any. */
  readonly world?: World;
}

/** Situations that the examples do not show, in which an argument gets into a command. */
const SITUATIONS: readonly (readonly [operation: string, args: Arguments])[] = [
  ["brew.tap", { src: "sample/tap" }],
  ["gpg.key", { keyServer: "keyserver.example.com", keyId: "0123456789ABCDEF", dest: "/etc/apt/keyrings/sample.gpg" }],
  ["iptables.rule", { chain: "INPUT", jump: "LOG", logPrefix: "sample" }],
  ["iptables.rule", { chain: "PREROUTING", table: "nat", jump: "REDIRECT", protocol: "tcp", toPorts: "80" }],
  ["s6.service", { services: ["something"], reloaded: true, reloadSignal: "SIGHUP" }],
  ["ufw.rule", { action: "allow", app: "sample" }],
  ["files.replace", { path: "/etc/motd", match: "sample", replace: "other" }],
];

/** Bases of every operation and fact that has some, by name. */
export async function bases(reference: Reference): Promise<ReadonlyMap<string, readonly Base[]>> {
  const found = new Map<string, Base[]>();
  const add = (name: string, base: Base): void => void found.set(name, [...(found.get(name) ?? []), base]);
  const operations = reference.operations.map(one => one.name);
  for (const { name, examples } of reference.operations) {
    for (const example of examples)
      for (const call of callsIn(example, operations)) if (call.name === name) add(name, { args: call.args });
  }
  for (const [name, args] of SITUATIONS) add(name, { args });
  for (const file of caseFiles("operations")) {
    const one = await withCase(file, () => parseOperationCase(readCase(file)));
    if (!one.error) add(file.name, { args: argumentsOf(one), world: worldOf(one) });
  }
  for (const file of caseFiles("facts"))
    add(file.name, { args: argumentsOf(await withCase(file, () => parseFactCase(readCase(file)))) });
  return found;
}

/** What the case says; of other arguments, what it says of some. */
const worldOf =
  ({ facts = [] }: OperationCase): World =>
  (fact, args) => {
    const given = facts.filter(entry => entry.fact === fact.name);
    const wanted = encode(args);
    const entry = given.find(one => Bun.deepEquals(normal(one.args ?? {}), wanted)) ?? given[0];
    return entry ? answerOf(entry, fact, args) : nothing(fact, args);
  };

interface Call {
  readonly name: string;
  readonly args: Arguments;
}

/** The calls that an example makes. What it does beside them is left out where it cannot be done here. */
function callsIn(example: string, operations: readonly string[]): readonly Call[] {
  const calls: Call[] = [];
  const modules = [...new Set(operations.map(name => name.split(".")[0] ?? ""))];
  const recorder = (path: string): unknown =>
    new Proxy(() => {}, {
      get: (_, key) => recorder(`${path}.${String(key)}`),
      apply: (_, __, [args = {}]) => (calls.push({ name: path, args: own(args) }), recorder(path)),
    });
  const body = new Bun.Transpiler({ loader: "ts" }).transformSync(example.replace(/^```\w*\n|```\s*$/g, ""));
  new Function(...modules, "logger", "host", body)(...modules.map(module => recorder(module)), {}, { data: {} });
  return calls;
}

const own = (args: Arguments): Arguments =>
  Object.fromEntries(Object.entries(args).filter(([name]) => name !== "name" && !name.startsWith("_")));
