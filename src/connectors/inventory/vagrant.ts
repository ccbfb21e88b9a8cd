/** Virtual machines that Vagrant runs. @module */
import { join } from "node:path";
import type { ConnectorContext, FoundHost } from "../../core/connector.ts";
import { InventoryError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { parseLines } from "../ssh/config/lines.ts";
import { type Data, type FinderOptions, isObject, outputOf, parseJson, renamed, textOf } from "./finder.ts";

/** Data and groups, by machine, beside the Vagrantfile. */
const OPTIONS_FILE = "@vagrant.json";

/** `@vagrant`: every running machine of the working directory's Vagrantfile; `@vagrant/NAME`: one of them. */
export async function vagrantHosts(
  address: string,
  { cwd }: ConnectorContext,
  { env }: FinderOptions,
): Promise<readonly FoundHost[]> {
  const run = (...args: string[]): Promise<string> => outputOf(["vagrant", ...args], { cwd, env });
  const states = statesOf(await run("status", "--machine-readable"));
  if (address !== "" && !states.has(address))
    throw new InventoryError(`Vagrant knows no machine "${address}"`, { hint: didYouMean(address, states.keys()) });
  const running = [...states]
    .filter(([name, state]) => state === "running" && (address === "" || name === address))
    .map(([name]) => name);
  if (running.length === 0)
    throw new InventoryError(
      address === "" ? "No machine of Vagrant is running" : `The Vagrant machine "${address}" is not running`,
      { hint: "Start it with: vagrant up" },
    );
  const options = await readOptions(join(cwd, OPTIONS_FILE));
  return await Promise.all(running.map(async name => toHost(name, await run("ssh-config", name), options)));
}

/** `TIME,MACHINE,state,running` among other lines. */
const statesOf = (output: string): ReadonlyMap<string, string> =>
  new Map(
    output
      .split("\n")
      .map(line => line.trim().split(","))
      .flatMap(([, name = "", type, state = ""]) => (type === "state" && name !== "" ? [[name, state] as const] : [])),
  );

function toHost(name: string, config: string, { data, groups }: Options): FoundHost {
  const lines = parseLines(config, `vagrant ssh-config ${name}`);
  const first = (keyword: string): string | undefined => lines.find(line => line.keyword === keyword)?.args[0];
  const found: Record<string, unknown> = {
    sshHostname: first("hostname"),
    sshPort: first("port") === undefined ? undefined : Number(first("port")),
    sshUser: first("user"),
    sshKey: first("identityfile"),
    // Its machines are made anew again and again, on an address of this machine: what it says about host keys is taken.
    sshStrictHostKeyChecking: first("stricthostkeychecking"),
    sshKnownHostsFile: first("userknownhostsfile"),
  };
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return {
    name: `@vagrant/${name}`,
    at: `@ssh/${name}`,
    data: { ...known, ...renamed(data(name)) },
    groups: groups(name),
  };
}

interface Options {
  data(machine: string): Data;
  groups(machine: string): readonly string[];
}

async function readOptions(file: string): Promise<Options> {
  const text = await textOf(file);
  const options = text === undefined ? {} : parseJson(text, file);
  const part = (key: string): Data => {
    const found = isObject(options) ? (options[key] ?? {}) : undefined;
    if (isObject(found)) return found;
    throw new InventoryError(`${file} must hold { data: { MACHINE: { … } }, groups: { MACHINE: [ … ] } }`);
  };
  const [data, groups] = [part("data"), part("groups")];
  return {
    data(machine) {
      const found = data[machine] ?? {};
      if (isObject(found)) return found;
      throw new InventoryError(`The data of "${machine}" in ${file} must be an object`);
    },
    groups(machine) {
      const found = groups[machine] ?? [];
      if (Array.isArray(found) && found.every(group => typeof group === "string")) return found;
      throw new InventoryError(`The groups of "${machine}" in ${file} must be a list of names`);
    },
  };
}
