/** SQL: text of statements, and the tables that clients print. @module */
import { quoted, raw, type Secret, sh, type Word } from "../../core/command.ts";

/** A statement, or its parts, which are joined by spaces. A part that is a secret is shown as `***`, whole. */
export type Sql = string | Secret | readonly (string | Secret | false | undefined)[];

/** A statement as one word of a command. */
export const statement = (sql: Sql): Word => quoted(sh`${[sql].flat().flatMap(part => (part ? [raw(part)] : []))}`);

/** A table as a client prints it. */
export interface TableFormat {
  /** Between two cells. */
  readonly separator: string;
  /** What a cell holds; `undefined` for nothing. */
  cell(text: string): string | undefined;
}

/** One row of a table, by column. */
export type Row = Readonly<Record<string, string | undefined>>;

/** Read a table whose first line names the columns. Throws `SyntaxError` when a row has more cells than there are columns. */
export function table(lines: readonly string[], { separator, cell }: TableFormat): readonly Row[] {
  const columns = (lines[0] ?? "").split(separator);
  const rows: Row[] = [];
  let pending = "";
  for (const line of lines.slice(1)) {
    // A value with a newline in it goes on in the next line.
    const text = pending + line;
    const cells = text.split(separator);
    if (cells.length > columns.length) throw new SyntaxError(`More values than columns: ${JSON.stringify(text)}`);
    pending = cells.length < columns.length ? `${text}\n` : "";
    if (pending === "")
      rows.push(Object.fromEntries(columns.map((column, index) => [column, cell(cells[index] ?? "")])));
  }
  return rows;
}
