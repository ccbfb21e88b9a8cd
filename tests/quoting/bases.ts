/** Arguments to begin with: those of the examples in the docs, and those of the conformance cases. @module */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Reference } from "../../src/reference/index.ts";
import { type FactCase, type OperationCase, readLines } from "../conformance/cases.ts";
import { caseHost } from "../conformance/host.ts";
import { callArguments, registryName } from "../conformance/translate.ts";
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

const OPEN = join(import.meta.dir, "../../../shared/conformance");
export const casesAreHere = existsSync(OPEN);

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
  if (!casesAreHere) return found;
  for (const one of await readLines<OperationCase>(join(OPEN, "open.ops.jsonl"))) {
    if (one.exception || one.x_tags.includes("platform:windows-only")) continue;
    const name = registryName(one.module, one.name);
    add(name, {
      args: callArguments(name, one.x_bound, { truthyStrings: one.x_tags.includes("py:bool-as-string") }),
      world: worldOf(one),
    });
  }
  for (const one of await readLines<FactCase>(join(OPEN, "open.facts.jsonl"))) {
    const name = registryName(one.module, one.name);
    add(name, { args: callArguments(name, one.x_bound, { truthyStrings: true }) });
  }
  return found;
}

/** What the case says; of other arguments, what it says of some. */
function worldOf(one: OperationCase): World {
  const host = caseHost(one);
  return async (fact, args) => {
    const others = one.x_facts
      .filter(entry => registryName(...split(entry.fact)) === fact.name)
      .map(entry => entry.tsArgs);
    for (const given of [args, ...others]) {
      const answer = await host.getFact(fact as never, given as never).then(
        value => ({ value }),
        () => undefined,
      );
      if (answer) return answer.value;
    }
    return nothing(fact, args);
  };
}

const split = (name: string): [string, string] => {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, dot), name.slice(dot + 1)];
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
