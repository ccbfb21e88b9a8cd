/** Aligned columns that fit a terminal. @module */
import type { Paint } from "./paint.ts";
import { cut, padEnd, padStart, widthOf } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut when the table is too wide, down to this width. */
  readonly shrinkTo?: number;
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
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        (columns[index]?.align === "right" ? padStart : padEnd)(cut(cell, widths[index] ?? 0), widths[index] ?? 0),
      )
      .join(GAP)
      .trimEnd();
  return [line(columns.map(column => column.title)), ...rows.map(row => line(row))].map(
    (text, index) => GAP + (index === 0 ? paint("dim", text) : text),
  );
}

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
