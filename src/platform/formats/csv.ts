export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

export type Cell = string | number | null;

/**
 * RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection): what is exported was
 * partly written by strangers. Not `csv-stringify` 6: it leaves a lone line feed without quotes where records end in CRLF, which takes as
 * many lines to fix as there are here.
 */
export function csvCell(value: Cell): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;
