/** Hosts on which nothing exists, everything exists, or what a case says. @module */
import type { CommandFact, Fact } from "../../src/core/fact.ts";
import type { Shell } from "../../src/core/command.ts";
import type { HostControl, LocalFile, OperationHost } from "../../src/core/host.ts";
import { HostDate } from "../../src/facts/server/host-date.ts";
import { layeredData } from "../../src/engine/host-data.ts";
import { fakeHost, type Said } from "../cases/host.ts";

/** Answers a fact. */
export type World = (fact: Fact<object, unknown>, args: Readonly<Record<string, unknown>>) => unknown;

/** A host in a world, whose control machine has a file, or a directory, at every path. */
export function hostIn(world: World, local: "file" | "directory"): OperationHost & Said {
  const file = (path: string): LocalFile => ({
    path,
    type: path.endsWith("/inner") ? "file" : local,
    size: 8,
    mode: "0644",
    atime: new Date(0),
    mtime: new Date(0),
  });
  return fakeHost({
    local: {
      resolve: path => (path.startsWith("/") ? path : `/deploy/${path}`),
      stat: async path => file(path),
      read: async () => new TextEncoder().encode("content\n"),
      readText: async () => "content\n",
      checksum: async () => "0".repeat(64),
      list: async path => [file(`${path}/inner`)],
      render: async () => "rendered\n",
    },
    wantsDiff: true,
    ask: world,
    tempDir: "/tmp",
    tempFile: (key = "", directory) => `${directory}/temp-${Bun.hash(key).toString(36)}`,
    timestamp: "2601010000",
  });
}

/** What a function between commands is given: it writes down what would be run. */
export function controlIn(world: World, ran: (command: Shell) => void): HostControl {
  let clock = 0;
  return {
    name: "host",
    groups: ["all"],
    data: layeredData("host", [], () => {}),
    getFact: async (fact: Fact<never, unknown>, ...[args]: unknown[]) =>
      world(fact as unknown as Fact<object, unknown>, { ...(args as object) }) as never,
    run: async command => (
      ran(command),
      { exitCode: 0, stdout: "", stderr: "", stdoutLines: [], stderrLines: [], isCut: false }
    ),
    disconnect: async () => {},
    connect: async () => {},
    sleep: async seconds => void (clock += seconds * 1000),
    now: () => (clock += 1000),
    log: () => {},
  };
}

/** Nothing is installed, nothing is there. */
export const nothing: World = (fact, args) => {
  if (ALWAYS_SOMETHING.has(fact.name)) return ALWAYS_SOMETHING.get(fact.name);
  return "derive" in fact
    ? fact.derive(nothing(fact.from as unknown as Fact<object, unknown>, args) as never, args)
    : fact.empty;
};

/** A world in which something has another name. */
export const renamed =
  (world: World, from: string, to: string): World =>
  async (fact, args) =>
    swapped(await world(fact, args), from, to);

function swapped(value: unknown, from: string, to: string): unknown {
  if (value === from) return to;
  // What has every member has the new one already.
  if (Array.isArray(value))
    return Object.hasOwn(value, "includes") ? value : value.map(item => swapped(item, from, to));
  if (value instanceof Set)
    return Object.hasOwn(value, "has") ? value : new Set([...value].map(item => swapped(item, from, to)));
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key === from ? to : key, swapped(item, from, to)]),
    );
  }
  return value;
}

/** Whatever is asked for exists. */
export const everything: World = (fact, args) => {
  const known = ALWAYS_SOMETHING.get(fact.name) ?? THERE.get(fact.name);
  if (known !== undefined) return known;
  if ("derive" in fact)
    return fact.derive(everything(fact.from as unknown as Fact<object, unknown>, args) as never, args);
  return existing(fact);
};

/** Only what has one of these names exists. */
export const only =
  (names: readonly unknown[]): World =>
  (fact, args) =>
    Object.values(args).some(arg => typeof arg === "string" && names.includes(arg))
      ? everything(fact, args)
      : nothing(fact, args);

/** Facts without which few operations can say anything. */
const ALWAYS_SOMETHING: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["server.Date", new HostDate(Date.UTC(2026, 0, 1), 0)],
  ["server.Home", "/home/user"],
  ["server.Kernel", "Linux"],
  ["server.Os", "Linux"],
  ["server.Arch", "x86_64"],
]);

const at = (type: string) => ({
  type,
  user: "root",
  group: "root",
  mode: "0600",
  size: 1,
  atime: new Date(0),
  mtime: new Date(0),
  ctime: new Date(0),
  ...(type === "link" ? { linkTarget: "/elsewhere" } : {}),
});
const THERE: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["files.File", at("file")],
  ["files.Directory", at("directory")],
  ["files.Link", at("link")],
  ["files.Socket", at("socket")],
  ["files.FileContents", ["something"]],
  ["files.Block", ["something"]],
  ["files.FindInFile", ["something"]],
  ["files.FindFiles", ["/there/file"]],
]);

function existing({ name, empty }: CommandFact<object, unknown>): unknown {
  if (empty instanceof Set) return Object.assign(new Set(empty), { has: () => true });
  if (empty instanceof Map) return Object.assign(new Map(empty), { has: () => true, get: () => anything() });
  if (Array.isArray(empty)) return Object.assign([anything()], { includes: () => true });
  if (typeof empty === "object" && empty !== null) return everyKey(/Packages|Casks/.test(name) ? ["1.0"] : anything());
  if (typeof empty === "boolean") return true;
  if (typeof empty === "number") return 1;
  return /Exists|Enabled|Installed/.test(name) ? true : "/something";
}

/** An object that has every key. */
function everyKey(value: unknown): unknown {
  return new Proxy<Record<string, unknown>>(
    {},
    {
      has: () => true,
      get: (target, key) =>
        typeof key === "string" && key !== "then" && key !== "toJSON" ? value : Reflect.get(target, key),
      getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, writable: true, value }),
    },
  );
}

/** Something that can be looked into, compared and printed. */
const anything = (): unknown => everyKey("something");
