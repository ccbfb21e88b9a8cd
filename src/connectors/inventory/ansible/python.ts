/** Values as Python writes them, which INI inventories hold: what `ast.literal_eval` reads. @module */

/** The value of a Python literal; text that is none is itself. Ansible documents text for `[group:vars]`, and reads literals there too. */
export function pythonLiteral(text: string): unknown {
  const reader = new LiteralReader(text);
  const value = reader.whole();
  return value === undefined ? text : value.value;
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

  /** One value, or several with commas between them, and maybe a comment; nothing where that is not all. */
  whole(): Value | undefined {
    this.#take(/\s*/y);
    const value = this.#tuple(/$/y);
    return value && this.#at === this.#text.length ? value : undefined;
  }

  #value(): Value | undefined {
    const number = this.#take(
      /[-+]?\s*(?:0x_?[\da-f]+(?:_[\da-f]+)*|0o_?[0-7]+(?:_[0-7]+)*|0b_?[01]+(?:_[01]+)*|(?:\d+(?:_\d+)*\.(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?|\d+(?:_\d+)*e[-+]?\d+|0+(?:_0+)*|[1-9]\d*(?:_\d+)*)(?![\w.])/iy,
    );
    if (number !== undefined) return { value: numberOf(number) };
    const word = this.#take(/(?:True|False|None)(?!\w)/y);
    if (word !== undefined) return { value: word === "None" ? null : word === "True" };
    if (this.#take(/\[\s*/y) !== undefined) return this.#list(/\]/y);
    if (this.#take(/\(\s*/y) !== undefined) return this.#tuple(/\)/y);
    if (this.#take(/\{\s*/y) !== undefined) return this.#map() ?? this.#list(/\}/y);
    return this.#texts();
  }

  /** Texts behind each other are one. */
  #texts(): Value | undefined {
    let all: string | undefined;
    for (let part = this.#quoted(); part !== undefined; part = this.#quoted()) {
      all = (all ?? "") + part;
      this.#take(/\s*/y);
    }
    return all === undefined ? undefined : { value: all };
  }
  #quoted(): string | undefined {
    const found = this.#take(
      /[urb]?(?:'''(?:\\[^]|[^\\])*?'''|"""(?:\\[^]|[^\\])*?"""|'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*")/iy,
    );
    if (found === undefined) return undefined;
    const [, prefix = "", quotes = "", inner = ""] = /^(\w?)('''|"""|'|")([^]*)\2$/.exec(found) ?? [];
    return /r/i.test(prefix) || quotes === "" ? inner : unescaped(inner);
  }

  /** What has no comma is the value itself. */
  #tuple(end: RegExp): Value | undefined {
    const { items, hasComma } = this.#items(end) ?? {};
    if (items === undefined) return undefined;
    return items.length === 1 && !hasComma ? { value: items[0] } : { value: items };
  }
  #list(end: RegExp): Value | undefined {
    const found = this.#items(end);
    return found && { value: found.items };
  }
  #items(end: RegExp): { readonly items: readonly unknown[]; readonly hasComma: boolean } | undefined {
    const items: unknown[] = [];
    let hasComma = false;
    let isOver = end.source !== "$" && this.#take(end) !== undefined;
    while (!isOver) {
      const item = this.#value();
      if (!item) return undefined;
      items.push(item.value);
      this.#take(/\s*/y);
      const isNext = this.#take(/,\s*/y) !== undefined;
      hasComma ||= isNext;
      if (end.source === "$") this.#take(/#[^\n]*$/y);
      isOver = this.#take(end) !== undefined;
      if (!isNext && !isOver) return undefined;
    }
    return { items, hasComma };
  }

  /** Nothing, and back where it began, for what is a set. */
  #map(): Value | undefined {
    const start = this.#at;
    const entries: [string, unknown][] = [];
    while (this.#take(/\}/y) === undefined) {
      const key = this.#value();
      const item = key && this.#take(/\s*:\s*/y) !== undefined ? this.#value() : undefined;
      if (!key || !item || (this.#take(/\s*,\s*/y) === undefined && this.#take(/\s*(?=\})/y) === undefined)) {
        this.#at = start;
        return undefined;
      }
      entries.push([String(key.value), item.value]);
    }
    return { value: Object.fromEntries(entries) };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

/** More digits than a number holds stay text. */
function numberOf(written: string): number | string {
  const digits = written.replace(/^[-+]|[\s_]/g, "");
  const value = Number(digits);
  if (/^\d+$/.test(digits) && !Number.isSafeInteger(value)) return written;
  return written.startsWith("-") ? 0 - value : value;
}

/** What is no escape keeps its backslash. */
const unescaped = (text: string): string =>
  text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g,
    (whole, x?: string, u?: string, long?: string, octal?: string, char?: string) => {
      const code = x ?? u ?? long;
      const point = Number.parseInt(code ?? octal ?? "", code === undefined ? 8 : 16);
      if (point <= LAST_CODE_POINT) return String.fromCodePoint(point);
      return ESCAPES[char ?? ""] ?? whole;
    },
  );
const LAST_CODE_POINT = 0x10ffff;
const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
