/** The data of a host, read through its layers. @module */
import { InventoryError } from "../core/errors.ts";
import { type GetHostData, type HostData, RESERVED_KEY } from "../core/host-data.ts";
import { Secret } from "../core/command.ts";
import { memberPath } from "../core/member-path.ts";

/** One layer of host data. */
type Layer = Readonly<Record<string, unknown>>;

/** An object that reads through layers, strongest first. Throws `InventoryError` for a layer with a key that is the object's own. */
export function layeredData(
  host: string,
  layers: readonly Layer[],
  assign: (key: string, value: unknown) => void,
): HostData {
  if (layers.some(layer => Object.hasOwn(layer, RESERVED_KEY))) throw reserved(host);
  const layerOf = (key: PropertyKey): Layer | undefined => layers.find(layer => Object.hasOwn(layer, key));
  const get = ((key: string, fallback: unknown): unknown => {
    const value = layerOf(key)?.[key] ?? undefined;
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
      return key === "hasOwnProperty" && !has(key) ? has : layerOf(key)?.[key as string];
    },
    has: (_, key) => has(key),
    ownKeys: () => [...new Set(layers.flatMap(layer => Object.keys(layer)))],
    getOwnPropertyDescriptor: (_, key) =>
      layerOf(key) && { value: layerOf(key)?.[key as string], enumerable: true, configurable: true, writable: true },
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
