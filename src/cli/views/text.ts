/** Fitting text into a line. @module */

/** Columns for host names; longer ones stick out. */
export const NAME_WIDTH = 24;

export const widthOf = (text: string): number => Bun.stringWidth(text);

/** One line without control characters: names and output come from elsewhere and must not steer the terminal. */
export const oneLine = (text: string): string =>
  joinLines(Bun.stripANSI(text).split(/[\r\n]+/))
    .replace(/\t/g, "    ")
    .replace(/[\0-\x1f\x7f-\x9f]/g, "");

/** Without blanks around the breaks, and without lines that are nothing else. A pattern that takes both looks at long runs of blanks again and again. */
function joinLines(lines: readonly string[]): string {
  const last = lines.length - 1;
  return lines
    .map((line, index) =>
      last === 0 ? line : index === 0 ? line.trimEnd() : index === last ? line.trimStart() : line.trim(),
    )
    .filter((line, index) => line !== "" || index === 0 || index === last)
    .join(" ⏎ ");
}

/** Cut to a width, ending in `…` if something is missing. Colors are kept whole. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const shown = Bun.sliceAnsi(text, 0, Math.max(0, width), "…");
  // A wide character may straddle the end.
  return widthOf(shown) <= width ? shown : Bun.sliceAnsi(text, 0, Math.max(0, width - 1), "…");
}

export const padEnd = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)));
export const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - widthOf(text))) + text;

/** `1 host`, `2 hosts`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Seconds for people: `0.12 s`, `2 s`, `4.2 s`, `75 s`, `3 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1).replace(".0", "")} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  return `${minutes} min ${Math.round(seconds) % 60} s`;
}

/** Bytes for people: `512 B`, `3.4 MB`. */
export function bytes(count: number): string {
  let value = count;
  for (const unit of ["B", "kB", "MB"]) {
    if (value < 1000) return `${unit === "B" || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} GB`;
}

/** Break at spaces so that no line is wider than `width`, where words allow. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
