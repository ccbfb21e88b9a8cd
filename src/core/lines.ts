/** Text in lines. @module */

/** The lines of a text, without their line breaks (`\n` or `\r\n`); a line break at the end begins no further line. */
export function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
