/** Values as Python writes them, which INI inventories may hold. @module */

/** The value of a Python literal; text that is none is itself. */
export function pythonLiteral(text: string): unknown {
  const reader = new LiteralReader(text.trim());
  const value = reader.value();
  return value !== undefined && reader.isAtEnd ? value.value : text.trim();
}

interface Value {
  readonly value: unknown;
}

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }
  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }
  /** Nothing where no literal begins, or one is broken. */
  value(): Value | undefined {
    const number = this.#take(
      /-?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.\d*|\.\d+|0+(?![\d])|[1-9]\d*)(?:[eE][-+]?\d+)?)(?![\w.])/y,
    );
    if (number !== undefined) return { value: Number(number) };
    const word = this.#take(/(?:True|False|None)(?!\w)/y);
    if (word !== undefined) return { value: word === "None" ? null : word === "True" };
    const quoted = this.#take(/'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"/y);
    if (quoted !== undefined)
      return { value: quoted.slice(1, -1).replace(/\\([^])/g, (_, char: string) => ESCAPES[char] ?? char) };
    if (this.#take(/\[\s*/y) !== undefined) return this.#list("]");
    if (this.#take(/\(\s*/y) !== undefined) return this.#list(")");
    return this.#take(/\{\s*/y) === undefined ? undefined : this.#map();
  }

  #list(end: string): Value | undefined {
    const items: unknown[] = [];
    while (this.#text[this.#at] !== end) {
      const item = this.value();
      if (!item || (this.#take(/\s*,\s*/y) === undefined && (this.#take(/\s*/y), this.#text[this.#at] !== end)))
        return undefined;
      items.push(item.value);
    }
    this.#at++;
    return { value: items };
  }
  #map(): Value | undefined {
    const entries: [string, unknown][] = [];
    while (this.#text[this.#at] !== "}") {
      const key = this.value();
      if (!key || this.#take(/\s*:\s*/y) === undefined) return undefined;
      const item = this.value();
      if (!item || (this.#take(/\s*,\s*/y) === undefined && (this.#take(/\s*/y), this.#text[this.#at] !== "}")))
        return undefined;
      entries.push([String(key.value), item.value]);
    }
    this.#at++;
    return { value: Object.fromEntries(entries) };
  }
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
