/** Answers to many questions in one output. @module */

/**
 * The line of each path that has one, in the order asked.
 * `undefined` unless the first line is the one that is there on every host, and every other line belongs to a path:
 * anything else in between means that the output cannot be trusted.
 */
export function answersInOrder(
  lines: readonly string[],
  all: readonly { readonly path: string }[],
  isFirst: (line: string) => boolean,
  answer: (line: string, path: string) => string | undefined,
): readonly (readonly string[])[] | undefined {
  if (lines[0] === undefined || !isFirst(lines[0])) return undefined;
  let next = 1;
  const answers = all.map(({ path }) => {
    const found = lines[next] === undefined ? undefined : answer(lines[next]!, path);
    if (found === undefined) return [];
    next++;
    return [found];
  });
  return next === lines.length ? answers : undefined;
}
