/** Aligned columns that fit a terminal. @module */
import type { Paint } from "./paint.ts";
import { cut, padEnd, padStart, widthOf } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be made narrower when the table is too wide, down to this width. */
  readonly shrinkTo?: number;
  /** What does not fit goes on in the next line instead of being cut. Its cells have no color. */
  readonly wraps?: boolean;
}

const GAP = "  ";

/** Rows under their titles, indented, no wider than `width` where shrinking allows. Cells may be colored. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: Paint,
): readonly string[] {
  const widths = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...rows.map(row => widthOf(row[index] ?? ""))),
  );
  shrink(widths, columns, width - GAP.length * columns.length);
  const lines = (cells: readonly string[]): readonly string[] => {
    const parts = columns.map(({ wraps }, index) => {
      const [cell, room] = [cells[index] ?? "", widths[index] ?? 0];
      return wraps ? broken(cell, room) : [cut(cell, room)];
    });
    return Array.from({ length: Math.max(...parts.map(part => part.length)) }, (_, at) =>
      columns
        .map(({ align }, index) =>
          (align === "right" ? padStart : padEnd)(parts[index]?.[at] ?? "", widths[index] ?? 0),
        )
        .join(GAP)
        .trimEnd(),
    );
  };
  return [
    ...lines(columns.map(column => column.title)).map(text => paint("dim", text)),
    ...rows.flatMap(row => lines(row)),
  ].map(text => GAP + text);
}

/** Text in lines of at most `width`, those after the first indented; words that are longer are broken. */
function broken(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  const room = (): number => Math.max(2, lines.length === 0 ? width : width - INDENT.length);
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > room()) {
      lines.push(line);
      line = "";
    }
    let rest = word;
    while (widthOf(rest) > room()) {
      const part = Bun.sliceAnsi(rest, 0, room());
      lines.push(part);
      rest = rest.slice(part.length);
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  return [...lines, line].map((part, index) => (index === 0 ? part : INDENT + part));
}
const INDENT = "  ";

/** Take the excess from the widest column that may shrink, one step at a time. */
function shrink(widths: number[], columns: readonly Column[], available: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - available; excess > 0; excess--) {
    const widest = columns.reduce<number | undefined>((best, column, index) => {
      if (column.shrinkTo === undefined || (widths[index] ?? 0) <= column.shrinkTo) return best;
      return best === undefined || (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best;
    }, undefined);
    if (widest === undefined) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}
