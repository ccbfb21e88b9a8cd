/** Values in `key=value` words. @module */
import { ArgumentError } from "./parse.ts";

/** `true` and `false`, whole numbers and JSON are read as such; anything else is text. */
export function readValue(text: string): unknown {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  // "007", "3.10" and 64-bit identifiers stay what was typed.
  if (/^-?\d/.test(text)) return String(Number(text)) === text ? Number(text) : text;
  if (!/^[[{"]|^null$/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Split `key=value` and read the value; `undefined` when the word has no key. */
export function keyValue(word: string): readonly [key: string, value: unknown] | undefined {
  const pair = keyText(word);
  return pair && [pair[0], readValue(pair[1])];
}

/** Split `key=value`; `undefined` when the word has no key. */
export function keyText(word: string): readonly [key: string, text: string] | undefined {
  const [, key, value] = /^([A-Za-z_$][\w$-]*)=(.*)$/s.exec(word) ?? [];
  return key === undefined || value === undefined ? undefined : [key, value];
}

/** `--data` words as data. Throws `ArgumentError`. */
export function dataOf(words: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    words.map(word => {
      const pair = keyValue(word);
      if (!pair) throw new ArgumentError(`Option --data must be KEY=VALUE, found "${word}"`);
      return pair;
    }),
  );
}
