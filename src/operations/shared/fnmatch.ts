/** Patterns for names, as Python's fnmatch has them. @module */

/** Whether a whole path matches: `*` is any text, slashes included, `?` one character, `[…]` one of several, `[!…]` none of them. */
export const matchesAny = (path: string, patterns: readonly string[]): boolean =>
  patterns.some(pattern => expression(pattern).test(path));

function expression(pattern: string): RegExp {
  const source = pattern.replace(/\*+|\?|\[!?\]?[^\]]*\]|[^]/g, part => {
    if (part.startsWith("*")) return "[^]*";
    if (part === "?") return "[^]";
    if (part.length < 3 || !part.startsWith("[")) return part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    const negated = part[1] === "!";
    return `[${negated ? "^" : ""}${part.slice(negated ? 2 : 1, -1).replace(/[\\\]^[]/g, "\\$&")}]`;
  });
  return new RegExp(`^(?:${source})$`);
}
