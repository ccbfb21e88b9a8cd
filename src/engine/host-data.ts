/** The data of a host, read through its layers. @module */
import { canChange, copyOf } from "../core/copy.ts";
import { InventoryError } from "../core/errors.ts";
import { type GetHostData, type HostData, RESERVED_KEY } from "../core/host-data.ts";
import { Secret } from "../core/command.ts";
import { memberPath } from "../core/member-path.ts";

/** One layer of host data. */
type Layer = Readonly<Record<string, unknown>>;

/** What host data is one host's alone: what was assigned to it, and its copies of what it shares with other hosts. */
export class OwnData {
  /** The layer above all others. */
  readonly assigned: Record<string, unknown> = {};
  readonly #shared: readonly Layer[];
  /** By key, each made when it is first read: most hosts read little of what they have. */
  #copies = new Map<string, unknown>();

  /** `shared`: the layers that the host may have in common with others. */
  constructor(shared: readonly Layer[]) {
    this.#shared = shared;
  }

  /** What a layer holds, as this host sees it: the same object at each look, and no other host's. */
  read(layer: Layer, key: string): unknown {
    const value = layer[key];
    if (!canChange(value) || !this.#shared.includes(layer)) return value;
    let copy = this.#copies.get(key);
    if (copy === undefined) this.#copies.set(key, (copy = copyOf(value)));
    return copy;
  }

  /** Remember all of it. Returns what to call to have it so again. */
  mark(): () => void {
    const [assigned, copies] = copyOf([Object.entries(this.assigned), this.#copies] as const);
    return () => {
      for (const key of Object.keys(this.assigned)) delete this.assigned[key];
      for (const [key, value] of assigned) this.assigned[key] = value;
      this.#copies = copies;
    };
  }
}

/** Data as a deploy or an include was given it, for the host that it is evaluated for. */
export function givenData(data: Layer): Layer {
  const copy = copyOf(data);
  return copy === data ? copyOf({ ...data }) : copy;
}

/** An object that reads through layers, strongest first. Throws `InventoryError` for a layer with a key that is the object's own. */
export function layeredData(
  host: string,
  layers: readonly Layer[],
  assign: (key: string, value: unknown) => void,
  read: (layer: Layer, key: string) => unknown = (layer, key) => layer[key],
): HostData {
  if (layers.some(layer => Object.hasOwn(layer, RESERVED_KEY))) throw reserved(host);
  const layerOf = (key: PropertyKey): Layer | undefined => layers.find(layer => Object.hasOwn(layer, key));
  const valueOf = (key: PropertyKey): unknown => {
    const layer = layerOf(key);
    return layer && read(layer, key as string);
  };
  const get = ((key: string, fallback: unknown): unknown => {
    const value = valueOf(key) ?? undefined;
    if (value === undefined) return fallback;
    const wanted = dataKind(fallback);
    if (wanted === "nothing" || dataKind(value) === wanted) return value;
    throw new InventoryError(`The data "${key}" must be ${wanted} like its fallback, found ${dataKind(value)}`, {
      host,
    });
  }) as GetHostData;
  const has = (key: PropertyKey): boolean => layerOf(key) !== undefined;
  const refuse = (what: string, hint?: string): never => {
    throw new InventoryError(`Host data ${what}`, { host, hint });
  };
  const noText = (): never => {
    const [example = "KEY"] = layers.flatMap(layer => Object.keys(layer));
    return refuse(
      "is a map of values, and cannot be used as text",
      `Name one of them: host.data${memberPath(example)}`,
    );
  };
  // Who looks at a proxy sees what is behind it.
  const behind = Object.defineProperty(Object.create(null) as HostData, Symbol.for("nodejs.util.inspect.custom"), {
    value: () => ({ ...data }),
    configurable: true,
  });
  const data = new Proxy(behind, {
    get: (_, key) => {
      if (key === RESERVED_KEY) return get;
      // What makes text or a number of an object asks for this.
      if (key === Symbol.toPrimitive) return noText;
      return key === "hasOwnProperty" && !has(key) ? has : valueOf(key);
    },
    has: (_, key) => has(key),
    ownKeys: () => [...new Set(layers.flatMap(layer => Object.keys(layer)))],
    getOwnPropertyDescriptor: (_, key) =>
      has(key) ? { value: valueOf(key), enumerable: true, configurable: true, writable: true } : undefined,
    set: (_, key, value) => {
      if (key === RESERVED_KEY) throw reserved(host);
      assign(key as string, value);
      return true;
    },
    defineProperty: (_, key) => refuse(`is set by assigning: host.data${memberPath(String(key))} = …`),
    deleteProperty: (_, key) =>
      refuse(
        `cannot be deleted: ${String(key)}`,
        `Assign nothing to it: host.data${memberPath(String(key))} = undefined`,
      ),
    preventExtensions: () => refuse("cannot be frozen or sealed"),
    setPrototypeOf: () => refuse("cannot have a prototype"),
  });
  return data;
}

const reserved = (host: string): InventoryError =>
  new InventoryError(`Host data cannot have the key "${RESERVED_KEY}"`, {
    host,
    hint: "Give it another name: host.data.get(key, fallback) reads the value of a key",
  });

/** Values of the same kind can stand for each other. */
function dataKind(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Secret) return "a secret";
  if (typeof value === "string") return "a text";
  if (typeof value === "boolean") return "true or false";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
