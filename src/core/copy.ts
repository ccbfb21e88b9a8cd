/** What a value is now, whatever becomes of it. @module */
import { types } from "node:util";

/**
 * A copy that later changes of the value do not reach: of lists, plain objects, bytes, maps, sets and dates, however deep.
 * What is held twice, or holds itself, does so in the copy. Everything else stays the object that it is, as nobody can say what it means:
 * functions, instances of classes, modules, proxies, and objects with accessors, which are not called.
 */
export const copyOf = <T>(value: T): T => (canChange(value) ? new Copies().of(value) : value);

/** Whether a value is no primitive and no function: what is given most often costs no more than this. */
export const canChange = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Copies of values that belong together: what two of them hold, their copies hold together too. */
export class Copies {
  readonly #known = new Map<object, object>();
  /** Copies that still hold what their originals do. A list of them, as data may be nested deeper than calls can be. */
  readonly #unfinished: object[] = [];

  /** The copy of a value. */
  of<T extends object>(value: T): T {
    const copy = this.#begin(value);
    for (let next = this.#unfinished.pop(); next; next = this.#unfinished.pop()) this.#finish(next);
    return copy as T;
  }

  #begin(value: object): object {
    const known = this.#known.get(value);
    if (known) return known;
    const copy = shallowCopy(value);
    if (copy === value) return value;
    this.#known.set(value, copy);
    this.#unfinished.push(copy);
    return copy;
  }

  #held(value: unknown): unknown {
    return canChange(value) ? this.#begin(value) : value;
  }

  #finish(copy: object): void {
    if (Array.isArray(copy)) {
      copy.forEach((item: unknown, index) => {
        if (canChange(item)) copy[index] = this.#begin(item);
      });
    } else if (copy instanceof Map) {
      const entries = [...copy];
      copy.clear();
      for (const [key, item] of entries) copy.set(this.#held(key), this.#held(item));
    } else if (copy instanceof Set) {
      const items = [...copy];
      copy.clear();
      for (const item of items) copy.add(this.#held(item));
    } else if (!isMemory(copy) && !(copy instanceof Date)) {
      for (const key of Reflect.ownKeys(copy)) {
        const item: unknown = Reflect.get(copy, key);
        if (canChange(item)) Reflect.set(copy, key, this.#begin(item));
      }
    }
  }
}

const isMemory = (value: object): value is ArrayBufferView | ArrayBuffer =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

/** The value itself if there is none. */
function shallowCopy(value: object): object {
  // Even to be asked what it is may mean something to it.
  if (types.isProxy(value)) return value;
  if (isMemory(value)) return copyOfMemory(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    // What a pattern found is a list with names of its own.
    return prototype === Array.prototype && !Object.hasOwn(value, "index") ? value.slice() : value;
  }
  if (prototype === Object.prototype || prototype === null) return copyOfPlain(value, prototype);
  if (prototype === Map.prototype && types.isMap(value)) return new Map(value);
  if (prototype === Set.prototype && types.isSet(value)) return new Set(value);
  if (prototype === Date.prototype && types.isDate(value)) return new Date(value.getTime());
  return value;
}

function copyOfPlain(value: object, prototype: object | null): object {
  if (types.isModuleNamespaceObject(value)) return value;
  const copy = Object.create(prototype) as Record<PropertyKey, unknown>;
  for (const key of Reflect.ownKeys(value)) {
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    if (!property || property.get || property.set || isWalked(key, property.value)) return value;
    if (property.enumerable && key !== "__proto__") copy[key] = property.value;
    else Object.defineProperty(copy, key, { ...property, writable: true, configurable: true });
  }
  return copy;
}

/** Where something is walked it may be on its way. */
const isWalked = (key: PropertyKey, value: unknown): boolean =>
  (key === Symbol.iterator || key === Symbol.asyncIterator) && typeof value === "function";

/** Of much memory that does not change, however many hosts are given it, there is one copy. */
function copyOfMemory(value: ArrayBufferView | ArrayBuffer): object {
  if (value.byteLength < MUCH_MEMORY) return newMemory(value);
  const known = lastCopies.get(value);
  if (known && bytesOf(known).equals(bytesOf(value))) return known;
  const copy = newMemory(value);
  lastCopies.set(value, copy);
  return copy;
}
const MUCH_MEMORY = 65_536;
const lastCopies = new WeakMap<object, ArrayBufferView | ArrayBuffer>();

function newMemory(value: ArrayBufferView | ArrayBuffer): ArrayBufferView | ArrayBuffer {
  if (!ArrayBuffer.isView(value)) return value.slice(0);
  if (value instanceof DataView)
    return new DataView(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
  // A `Buffer` has a `slice` that copies nothing.
  return Uint8Array.prototype.slice.call(value);
}

const bytesOf = (value: ArrayBufferView | ArrayBuffer): Buffer =>
  ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
