/** Where text stands in arguments, and how to put another text there. @module */
import { Secret } from "../../src/core/command.ts";
import type { ObjectType, ValueType } from "../../src/reference/index.ts";

export type Arguments = Readonly<Record<string, unknown>>;

/** One place for a text in the arguments of an operation or fact. */
export interface Place {
  /** The argument. */
  readonly argument: string;
  /** For people: `packages[]`, `mounts[].source`, `env{key}`, `password (secret)`. */
  readonly name: string;
  /** The value is a `Secret`. */
  readonly secret: boolean;
  /** The arguments with this text in this place. */
  put(args: Arguments, text: string): Arguments;
}

/** Every place for a text that the types allow. */
export function places(signature: ObjectType): readonly Place[] {
  const found = Object.entries(signature.fields).flatMap(([argument, type]) =>
    inside(type).map(({ path, secret, put }) => ({
      argument,
      name: `${argument}${path}${secret ? " (secret)" : ""}`,
      secret,
      put: (args: Arguments, text: string) => ({ ...args, [argument]: put(args[argument], text) }),
    })),
  );
  const rest = signature.rest
    ? [
        {
          argument: "*",
          name: "{key}",
          secret: false,
          put: (args: Arguments, text: string) => ({ ...args, [text]: "x" }),
        },
      ]
    : [];
  return [...found, ...rest];
}

interface Inner {
  readonly path: string;
  readonly secret: boolean;
  put(before: unknown, text: string): unknown;
}

function inside(type: ValueType): readonly Inner[] {
  if (type === "string" || type === "unknown") return [{ path: "", secret: false, put: (_, text) => text }];
  if (type === "secret") return [{ path: "", secret: true, put: (_, text) => new Secret(text) }];
  if (typeof type === "string" || "is" in type) return [];
  if ("any" in type) return type.any.flatMap(inside);
  if ("list" in type)
    return inside(type.list).map(inner => ({
      ...inner,
      path: `[]${inner.path}`,
      put: (before, text) => listWith(before, item => inner.put(item, text)),
    }));
  if ("tuple" in type) {
    return type.tuple.flatMap((item, index) =>
      inside(item).map(inner => ({
        ...inner,
        path: `[${index}]${inner.path}`,
        put: (before: unknown, text: string) =>
          type.tuple.map((other, at) =>
            at === index
              ? inner.put(Array.isArray(before) ? before[at] : undefined, text)
              : Array.isArray(before)
                ? before[at]
                : sample(other),
          ),
      })),
    );
  }
  if ("map" in type) {
    return [
      { path: "{key}", secret: false, put: (before, text) => ({ [text]: record(before)[0]?.[1] ?? sample(type.map) }) },
      ...inside(type.map).map(inner => ({
        ...inner,
        path: `{}${inner.path}`,
        put: (before: unknown, text: string) => {
          const [[key, value] = ["key", undefined]] = record(before);
          return { ...(isRecord(before) ? before : {}), [key]: inner.put(value, text) };
        },
      })),
    ];
  }
  return Object.entries(type.fields).flatMap(([field, fieldType]) =>
    inside(fieldType).map(inner => ({
      ...inner,
      path: `.${field}${inner.path}`,
      put: (before: unknown, text: string) => {
        const object = isRecord(before) ? before : (sample(type) as Arguments);
        return { ...object, [field]: inner.put(object[field], text) };
      },
    })),
  );
}

const listWith = (before: unknown, put: (item: unknown) => unknown): readonly unknown[] =>
  Array.isArray(before) && before.length > 0 ? [put(before[0]), ...before.slice(1)] : [put(undefined)];
const isRecord = (value: unknown): value is Arguments =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
const record = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : [];

/** Some value of a type. */
export function sample(type: ValueType): unknown {
  if (typeof type === "string")
    return { string: "sample", number: 7, boolean: true, secret: new Secret("sample"), unknown: "sample" }[
      type as "string"
    ];
  if ("is" in type) return type.is[0];
  if ("any" in type) return sample(type.any[0] ?? "unknown");
  if ("list" in type) return [sample(type.list)];
  if ("tuple" in type) return type.tuple.map(sample);
  if ("map" in type) return { key: sample(type.map) };
  return Object.fromEntries((type.required ?? []).map(key => [key, sample(type.fields[key] ?? "unknown")]));
}

/** The same arguments with one switch in each other position, one at a time. */
export function variations(signature: ObjectType, args: Arguments): readonly Arguments[] {
  const switches = Object.entries(signature.fields).flatMap(([name, type]) =>
    positions(type).map(position => ({ ...args, [name]: position })),
  );
  return [args, ...switches];
}

function positions(type: ValueType): readonly unknown[] {
  if (type === "boolean") return [true, false];
  if (typeof type === "string") return [];
  if ("is" in type) return type.is;
  return "any" in type ? type.any.flatMap(positions) : [];
}
