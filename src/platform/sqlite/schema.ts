/** Marks the file as a journal of ours ("TLNJ"), so that no other program's database is taken for one. */
export const APPLICATION_ID = 0x544c4e4a;

/** Bytes of a page of the file: SQLite's default, made explicit. */
export const PAGE_SIZE = 4096;

/** Format of the tables. A file with a higher one was written by a later version. */
export const FORMAT = 2;

/**
 * Rows of `alert` and `entry` are only ever added and, long after, dropped, in about the order of their keys: that is what
 * keeps a commit cheap. Whether a plan is open follows from `ended` having no row for it. `sum` is the `rowSum` of the columns
 * before it; `again` is the plan's number once more, so that a start finds rows that damage gave to another plan without
 * reckoning the sums of the whole history.
 */
export const TABLES: readonly string[] = [
  `CREATE TABLE alert(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, revision TEXT NOT NULL,
     rules TEXT NOT NULL, trace TEXT NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL)`,
  `CREATE TABLE entry(alert INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, progress TEXT NOT NULL,
     again INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(alert, seq)) WITHOUT ROWID`,
  `CREATE TABLE ended(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
     again INTEGER NOT NULL, sum INTEGER NOT NULL)`,
  `CREATE TABLE budget_use(alert INTEGER NOT NULL, step INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,
     sum INTEGER NOT NULL, PRIMARY KEY(alert, step, key)) WITHOUT ROWID`,
  `CREATE TABLE policy(revision TEXT PRIMARY KEY, data TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID`,
  // Plans that an operator reopened and that the server has not been told of.
  'CREATE TABLE reopened(id INTEGER PRIMARY KEY)',
  'CREATE TABLE fact(name TEXT PRIMARY KEY, value INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID',
  // Sent ones are deleted. The text is behind all that is listed: the pages that it alone takes need not be read for that.
  `CREATE TABLE notice(id INTEGER PRIMARY KEY, alert INTEGER NOT NULL, step INTEGER NOT NULL, notifier TEXT NOT NULL,
     at INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, next INTEGER NOT NULL, error TEXT NOT NULL,
     text TEXT NOT NULL, sum INTEGER NOT NULL)`,
  'CREATE INDEX notice_by_alert ON notice(alert)',
];

/** The first format that has notices. */
export const WITH_NOTICES = 2;

/** How many of the statements made the tables of each format: each has those of the one before, and some behind them. */
const TABLES_IN_FORMAT: Readonly<Record<number, number>> = { 1: 7, 2: 9 };

/** What makes the tables of a format; undefined for one that is not known. */
export function tablesOfFormat(format: number): readonly string[] | undefined {
  const count = TABLES_IN_FORMAT[format];
  return count === undefined ? undefined : TABLES.slice(0, count);
}

/** Columns of the tables that are read by rows, in their order. */
const COLUMNS = {
  alert: ['id', 'at', 'key', 'revision', 'rules', 'trace', 'body', 'sum'],
  entry: ['alert', 'seq', 'at', 'progress', 'again', 'sum'],
  ended: ['id', 'at', 'state', 'reason', 'again', 'sum'],
  budget_use: ['alert', 'step', 'key', 'at', 'sum'],
  policy: ['revision', 'data', 'sum'],
  fact: ['name', 'value', 'sum'],
  notice: ['id', 'alert', 'step', 'notifier', 'at', 'state', 'attempts', 'next', 'error', 'text', 'sum'],
} as const;

export type Table = keyof typeof COLUMNS;

const TEXTS = new Set<string>([
  ...['key', 'revision', 'rules', 'trace', 'progress', 'state', 'reason', 'data', 'name'],
  ...['notifier', 'error', 'text'],
]);

/** Whether the column at this place of a table is a text. */
export function isText(table: Table, place: number): boolean {
  return TEXTS.has(COLUMNS[table][place] ?? '');
}

/**
 * What to select for a whole row. Texts come as bytes and numbers as numbers, whatever damage made of them: libsql ends the
 * process when a text is not valid UTF-8.
 */
export function wholeRow(table: Table): string {
  const read = (column: string) =>
    TEXTS.has(column) || column === 'body' ? `CAST(${column} AS BLOB)` : `CAST(${column} AS INTEGER)`;
  return COLUMNS[table].map(read).join(', ');
}
