/** Text as lines. @module */

/** The lines of a text, without their line breaks (`\n` or `\r\n`); a line break at the very end begins no further line. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  const last = lines.pop()!;
  for (const [index, line] of lines.entries()) if (line.endsWith("\r")) lines[index] = line.slice(0, -1);
  if (last !== "") lines.push(last);
  return lines;
}
