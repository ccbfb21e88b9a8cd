/** Hosts that Terraform or OpenTofu made. @module */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ConnectorContext, FoundHost } from "../../core/connector.ts";
import { InventoryError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { expandHome } from "../shared/paths.ts";
import { type Data, type FinderOptions, isObject, outputOf, parseJson, renamed, textOf } from "./finder.ts";

/** Outputs that are looked for when none is named. */
const USUAL_KEYS = ["tsinfra_inventory", "pyinfra_inventory"];

/**
 * `@terraform`, `@terraform/KEY`, `@terraform/FILE[:KEY]`, `@terraform/DIRECTORY[:KEY]`. A file is a state, or what
 * `terraform output -json` printed; a key is an output's name and, behind dots, a path into its value.
 */
export async function terraformHosts(
  address: string,
  context: ConnectorContext,
  options: FinderOptions,
): Promise<readonly FoundHost[]> {
  const { outputs, key, where } = await find(address, context, options);
  const [value, name] = valueAt(outputs, key, where);
  const hosts = hostsOf(value, name);
  if (hosts.length === 0) throw new InventoryError(`The output "${name}" of ${where} names no hosts`);
  return hosts;
}

interface Found {
  readonly outputs: Data;
  readonly key: string | undefined;
  /** For messages. */
  readonly where: string;
}

async function find(address: string, { cwd }: ConnectorContext, { home = "", env }: FinderOptions): Promise<Found> {
  const [, path = "", key] = /^(.*?)(?::([\w.-]+))?$/s.exec(address) ?? [];
  const file = expandHome(path, { home: home || (env ?? process.env)["HOME"] || "/" }, resolve(cwd));
  const found = path === "" ? undefined : await stat(file).catch(() => undefined);
  if (found?.isFile())
    return { outputs: outputsOf(parseJson((await textOf(file)) ?? "", file), file), key, where: file };
  if (path !== "" && !found && /\/|\.(?:json|tfstate)$/.test(path))
    throw new InventoryError(`Terraform state "${path}" does not exist`);
  const directory = found?.isDirectory() ? file : cwd;
  const where = `terraform output in ${directory}`;
  const outputs = outputsOf(
    parseJson(await outputOf(["terraform", "output", "-json"], { cwd: directory, env }), where),
    where,
  );
  return { outputs, key: found ? key : path || undefined, where };
}

/** A state keeps its outputs under a key, beside what it is made of. */
function outputsOf(document: unknown, where: string): Data {
  if (!isObject(document)) throw new InventoryError(`${where} holds no outputs`);
  const isState =
    "outputs" in document && ("version" in document || "terraform_version" in document || "resources" in document);
  if (!isState) return document;
  if (!isObject(document["outputs"])) throw new InventoryError(`${where} holds no outputs`);
  return document["outputs"];
}

function valueAt(outputs: Data, key: string | undefined, where: string): [value: unknown, name: string] {
  const wanted = key ?? USUAL_KEYS.find(name => name in outputs);
  if (wanted === undefined) {
    const known = Object.keys(outputs);
    throw new InventoryError(`${where} has no output "${USUAL_KEYS[0]}"`, {
      hint: known.length > 0 ? `Name one: ${known.join(", ")}` : "Add outputs, and run terraform apply",
    });
  }
  let value: unknown = outputs;
  let path = "";
  for (const part of partsOf(wanted, outputs)) {
    // An output is a value with a type; its name alone means the value.
    if (isOutput(value) && part !== "value") value = value["value"];
    const members: Readonly<Record<string, unknown>> = isObject(value) || Array.isArray(value) ? (value as Data) : {};
    if (!Object.hasOwn(members, part)) {
      throw new InventoryError(`${where} has no "${path === "" ? "" : `${path}.`}${part}"`, {
        hint: didYouMean(part, Object.keys(members)),
      });
    }
    value = members[part];
    path = path === "" ? part : `${path}.${part}`;
  }
  return [isOutput(value) ? value["value"] : value, wanted];
}

const partsOf = (key: string, outputs: Data): readonly string[] => (key in outputs ? [key] : key.split("."));
const isOutput = (value: unknown): value is Data =>
  isObject(value) && "value" in value && ("type" in value || "sensitive" in value);

/** A name or host, a list of them, a map of groups, or a map of names to addresses or data. */
function hostsOf(value: unknown, output: string): readonly FoundHost[] {
  if (typeof value === "string") return [host(value, {}, [])];
  if (Array.isArray(value)) return value.map((entry, index) => entryOf(entry, [], `${output}.${index}`));
  if (!isObject(value)) throw shapeError(output, value);
  if (isHost(value)) return [entryOf(value, [], output)];
  return merged(
    Object.entries(value).flatMap(([name, entry]) => {
      const where = `${output}.${name}`;
      if (Array.isArray(entry)) return entry.map((one, index) => entryOf(one, [name], `${where}.${index}`));
      if (typeof entry === "string") return [host(name, { sshHostname: entry }, [])];
      if (isObject(entry)) return [entryOf({ name, ...entry }, [], where)];
      throw shapeError(where, entry);
    }),
  );
}

/** A host may be in several groups. */
function merged(hosts: readonly FoundHost[]): readonly FoundHost[] {
  const byName = new Map<string, FoundHost>();
  for (const one of hosts) {
    const known = byName.get(one.name);
    byName.set(
      one.name,
      known ? { ...known, data: { ...known.data, ...one.data }, groups: [...known.groups, ...one.groups] } : one,
    );
  }
  return [...byName.values()];
}

const isHost = (value: Data): boolean =>
  ["name", "ssh_hostname", "sshHostname"].some(key => typeof value[key] === "string");

function entryOf(entry: unknown, groups: readonly string[], where: string): FoundHost {
  if (typeof entry === "string") return host(entry, {}, groups);
  if (!isObject(entry) || !isHost(entry)) throw shapeError(where, entry);
  const { name, ...data } = renamed(entry);
  return host(String(name ?? data["sshHostname"]), data, groups);
}

/** A name that says its own connector is taken as it is. */
const host = (name: string, data: Data, groups: readonly string[]): FoundHost =>
  name.startsWith("@") ? { name, data, groups } : { name: `@terraform/${name}`, at: `@ssh/${name}`, data, groups };

const shapeError = (where: string, value: unknown): InventoryError =>
  new InventoryError(
    `The output "${where}" must be a name or { name, … }, found ${isObject(value) ? `{ ${Object.keys(value).join(", ")} }` : JSON.stringify(value)}`,
    {
      hint: "An inventory is a list of names, a list of objects with name or ssh_hostname, or a map of groups to such lists",
    },
  );
