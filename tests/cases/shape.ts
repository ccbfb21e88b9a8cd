/** What the JSON of a case may hold: a key that nobody reads is a mistake, and is told with its place. @module */
import { CaseError, isList, isObject, type Json } from "./values.ts";

/** Throws `CaseError` where the JSON is not as it should be. `at` is the place: `$.facts[0]`. */
export type Shape = (json: Json, at: string) => void;

const kind =
  (wanted: string, is: (json: Json) => boolean): Shape =>
  (json, at) => {
    if (!is(json)) throw new CaseError(`${at} must be ${wanted}, found ${JSON.stringify(json)}`);
  };

export const anything: Shape = () => {};
export const text = kind("a text", json => typeof json === "string");
export const count = kind("a number from 0", json => typeof json === "number" && Number.isInteger(json) && json >= 0);
export const yes = kind("true, or be left out", json => json === true);
const someList = kind("a list", isList);
export const someObject = kind("an object", isObject);

export const listOf =
  (item: Shape): Shape =>
  (json, at) => {
    someList(json, at);
    if (isList(json)) json.forEach((one, index) => item(one, `${at}[${index}]`));
  };

export const mapOf =
  (value: Shape): Shape =>
  (json, at) => {
    someObject(json, at);
    if (isObject(json)) for (const [key, one] of Object.entries(json)) value(one, `${at}[${JSON.stringify(key)}]`);
  };

/** An object with these keys and no others. */
export const object =
  (keys: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape =>
  (json, at) => {
    someObject(json, at);
    if (!isObject(json)) return;
    for (const key of required) if (!(key in json)) throw new CaseError(`${at} has no "${key}"`);
    for (const [key, value] of Object.entries(json)) {
      const shape = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (!shape) throw new CaseError(`${at} has an unknown key "${key}"; there are ${Object.keys(keys).join(", ")}`);
      shape(value, `${at}.${key}`);
    }
  };

/** A text, or an object that is known by one of these keys. */
export const textOr =
  (kinds: Readonly<Record<string, Readonly<Record<string, Shape>>>>): Shape =>
  (json, at) => {
    if (typeof json === "string") return;
    const known = isObject(json) ? Object.keys(kinds).find(key => key in json) : undefined;
    const keys = known === undefined ? undefined : kinds[known];
    if (!keys) throw new CaseError(`${at} must be a text or have one of the keys ${Object.keys(kinds).join(", ")}`);
    object(keys)(json, at);
  };
