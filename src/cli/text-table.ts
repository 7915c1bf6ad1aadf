import { columnsOf } from '../compiler/text-columns.ts';
import { escapeUnprintable } from '../platform/telemetry/log-line.ts';

/** Rows under their headings, in columns, with nothing in them that a terminal acts on. Each row ends with a line feed. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows.map((row) => row.map(escapeUnprintable))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => columnsOf(row[column] ?? ''))));
  const lines = all.map((row) => row.map((cell, column) => padded(cell, widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}
