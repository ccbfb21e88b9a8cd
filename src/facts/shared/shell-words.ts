/** Words of a line, as a shell would take it apart. @module */

/**
 * Split a line at white space; quotes and backslashes keep words together, and nothing is expanded.
 * Throws `SyntaxError` for a quote that does not end.
 */
export function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== "") {
    const [found = ""] = WORD.exec(rest) ?? [];
    if (found === "") throw new SyntaxError(`A quote does not end: ${JSON.stringify(line)}`);
    words.push(
      found.replace(
        PART,
        (part, single?: string, double?: string, escaped?: string) =>
          single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? part,
      ),
    );
    rest = rest.slice(found.length);
    if (rest !== "" && !/^\s/.test(rest)) throw new SyntaxError(`A quote does not end: ${JSON.stringify(line)}`);
    rest = rest.trimStart();
  }
  return words;
}

const PART = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|[^\s'"\\]+/g;
const WORD = /^(?:'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|[^\s'"\\]+)+/;
