// Tables as kubectl prints them: capital headings, three spaces between columns, nothing at line ends.
import { pad, printable, widthOf } from './width.ts';

/** A table with a heading; ends with a newline. Cells are made safe to print. */
export function columns(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = [headings, ...rows.map((row) => row.map(printable))];
  const widths = headings.map((_, column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))));
  return lines(table, widths);
}

/** Rows under each other, each with a newline. Cells are padded to the widths, and cut where they are longer. */
export function lines(rows: readonly (readonly string[])[], widths: readonly number[]): string {
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => pad(cell, widths[i] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
