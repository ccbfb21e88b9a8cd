/** Shell text as words and operators, so that two ways of quoting one command compare equal. @module */

const OPERATOR = /^(?:\|\||&&|;;|<<-?|>>|>&|<&|>\||[|&;()<>])/;
/** Marks what the shell still expands, so that a live `$` never equals a quoted one: inside double quotes, and bare. */
const LIVE_QUOTED = "\u0001";
const LIVE_BARE = "\u0002";

export const sameTokens = (a: string, b: string): boolean => {
  const [left, right] = [shellTokens(a), shellTokens(b)];
  return left.length === right.length && left.every((token, index) => token === right[index]);
};

/** Words (`w:…`), operators (`o:…`) and line ends of a command. Text inside `$(…)` is taken as it stands; here-documents are not understood. */
export function shellTokens(text: string): readonly string[] {
  const tokens: string[] = [];
  let word: string | undefined;
  let at = 0;
  const add = (part: string, taken: number) => {
    word = (word ?? "") + part;
    at += taken;
  };
  const end = () => {
    if (word !== undefined) tokens.push(`w:${word}`);
    word = undefined;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const char = rest[0] ?? "";
    const operator = OPERATOR.exec(rest)?.[0];
    if (char === "'") {
      const close = rest.indexOf("'", 1);
      if (close < 0) add(rest, rest.length);
      else add(rest.slice(1, close), close + 1);
    } else if (char === '"') {
      const { value, length } = doubleQuoted(rest);
      add(value, length);
    } else if (char === "\\" && rest.length > 1) {
      add(rest[1] === "\n" ? "" : (rest[1] ?? ""), 2);
    } else if (/\s/.test(char)) {
      end();
      if (char === "\n" && tokens.length > 0 && tokens.at(-1) !== "line") tokens.push("line");
      at++;
    } else if (operator) {
      end();
      tokens.push(`o:${operator}`);
      at += operator.length;
    } else if (rest.startsWith("$(")) {
      const length = substitutionLength(rest);
      add(LIVE_BARE + rest.slice(0, length), length);
    } else {
      add(char === "$" || char === "`" ? LIVE_BARE + char : char, 1);
    }
  }
  end();
  while (tokens.at(-1) === "line") tokens.pop();
  return tokens;
}

function doubleQuoted(text: string): { value: string; length: number } {
  let value = "";
  let at = 1;
  while (at < text.length && text[at] !== '"') {
    const rest = text.slice(at);
    if (rest[0] === "\\" && '$`"\\\n'.includes(rest[1] ?? " ")) {
      value += rest[1] === "\n" ? "" : rest[1];
      at += 2;
    } else if (rest.startsWith("$(")) {
      const length = substitutionLength(rest);
      value += LIVE_QUOTED + rest.slice(0, length);
      at += length;
    } else {
      value += rest[0] === "$" || rest[0] === "`" ? LIVE_QUOTED + rest[0] : rest[0];
      at++;
    }
  }
  return { value, length: at + 1 };
}

/** Length of the `$(…)` that the text begins with. */
function substitutionLength(text: string): number {
  let depth = 0;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at + 1;
  }
  return text.length;
}
