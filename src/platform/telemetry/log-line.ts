import { LOG_FIELDS, type LogField, type LogLevel, type LogRecord } from '../../model/log-record.ts';

/** Falco Talon's three shapes of a log line. `color` without colours (NO_COLOR) is `text`. */
export type LogFormat = 'text' | 'color' | 'json';

const SHORT_LEVEL: Record<LogLevel, string> = { info: 'INF', warn: 'WRN', error: 'ERR', fatal: 'FTL' };
const LEVEL_COLOR: Record<LogLevel, number> = { info: 32, warn: 33, error: 31, fatal: 31 };
/** In text the error comes first and the others by their names; in JSON it comes last. */
const TEXT_ORDER: readonly LogField[] = ['error', ...LOG_FIELDS.filter((field) => field !== 'error').sort()];
const JSON_ORDER = LOG_FIELDS.filter((field) => field !== 'error');
const RESERVED = new Set<string>([...LOG_FIELDS, 'level', 'time', 'message']);

/** What Go's `strconv.Quote` escapes: all but letters, marks, numbers, punctuation, symbols and the plain space. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const NEEDS_QUOTES = /[^!#-[\]-~]/;
const NEEDS_ESCAPE = /[^ !#-[\]-~]/;
const GO_ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/**
 * One log line with its line feed, in the shape of Falco Talon's. Values come from alerts, so an attacker chooses them: no
 * control character, line separator or change of writing direction gets into the line unescaped, in any format.
 */
export function formatLogLine(record: LogRecord, format: LogFormat, now: Date): string {
  return timedLogLine(record, format, logTime(now));
}

/** The same, with the time as `logTime` writes it. */
export function timedLogLine(record: LogRecord, format: LogFormat, time: string): string {
  if (format === 'json') return jsonLine(record, time);
  return format === 'color' ? colorLine(record, time) : textLine(record, time);
}

function textLine(record: LogRecord, time: string): string {
  let line = `${time} ${SHORT_LEVEL[record.level]} ${escapeUnprintable(record.message)}`;
  for (const [key, value] of sortedFields(record)) line += ` ${quoteWhereNeeded(key)}=${quoteWhereNeeded(value)}`;
  return `${line}\n`;
}

function colorLine(record: LogRecord, time: string): string {
  const level = paint(LEVEL_COLOR[record.level], SHORT_LEVEL[record.level]);
  let line = `${paint(90, time)} ${level} ${paint(1, escapeUnprintable(record.message))}`;
  for (const [key, value] of sortedFields(record)) {
    const shown = quoteWhereNeeded(value);
    line += ` ${paint(36, `${quoteWhereNeeded(key)}=`)}${key === 'error' ? paint(31, paint(1, shown)) : shown}`;
  }
  return `${line}\n`;
}

/** `error` comes before the others; those are sorted by key. */
function sortedFields(record: LogRecord): (readonly [string, string])[] {
  const fields = filled(record, TEXT_ORDER);
  const objects = objectFields(record);
  if (objects.length === 0) return fields;
  const error = fields[0]?.[0] === 'error' ? fields.splice(0, 1) : [];
  return [...error, ...[...fields, ...objects].sort(([a], [b]) => (a < b ? -1 : 1))];
}

function jsonLine(record: LogRecord, time: string): string {
  const members = [['level', record.level] as const, ...logMembers(record, time), ['message', record.message] as const];
  return `{${members.map(([key, value]) => `${quoteJson(key)}:${quoteJson(value)}`).join(',')}}\n`;
}

/** What stands between level and message in a JSON line: fields, objects, error, time. */
export function logMembers(record: LogRecord, time: string): [string, string][] {
  const error = record.fields?.error;
  const last: [string, string][] = error ? [['error', error]] : [];
  return [...filled(record, JSON_ORDER), ...objectFields(record), ...last, ['time', time]];
}

/** The fields that a record has, in this order. */
function filled({ fields = {} }: LogRecord, order: readonly LogField[]): [string, string][] {
  const found: [string, string][] = [];
  for (const key of order) {
    const value = fields[key];
    if (value) found.push([key, value]);
  }
  return found;
}

/** A key that a field already has is left out: the field is what the line is about. */
function objectFields(record: LogRecord): [string, string][] {
  if (!record.objects) return [];
  return Object.entries(record.objects)
    .map(([key, value]): [string, string] => [key.toLowerCase(), value])
    .filter(([key]) => !RESERVED.has(key));
}

/**
 * A value as the text formats show it: in double quotes, escaped as Go does, where it holds a space, a quote, a backslash
 * or anything outside printable ASCII; else as it is.
 */
export function quoteWhereNeeded(value: string): string {
  if (!NEEDS_QUOTES.test(value)) return value;
  return NEEDS_ESCAPE.test(value) ? `"${escapeUnprintable(value.replace(/["\\]/g, '\\$&'))}"` : `"${value}"`;
}

/** A text whose unprintable characters are escaped as Go does (`\x1b`, `\u202e`), without quotes around it. */
export function escapeUnprintable(value: string): string {
  return value.replace(UNPRINTABLE, goEscape);
}

function goEscape(character: string): string {
  const short = GO_ESCAPES[character];
  if (short) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** A JSON string in which what a terminal could act on is escaped as well. */
export function quoteJson(value: string): string {
  return NEEDS_ESCAPE.test(value) ? escapeJsonText(JSON.stringify(value)) : `"${value}"`;
}

/** JSON text with the same meaning, in which every unprintable character is an escape. */
export function escapeJsonText(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    let escaped = '';
    for (let unit = 0; unit < character.length; unit++) escaped += `\\u${hex(character.charCodeAt(unit), 4)}`;
    return escaped;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

function paint(code: number, text: string): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

/** RFC 3339 in whole seconds and the local time zone, `Z` for UTC. */
export function logTime(now: Date): string {
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const minutes = Math.abs(offset);
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60))}:${pad(minutes % 60)}`;
}

/** Tells the time as `logTime` does. */
export type LogClock = () => string;

/**
 * A clock that makes its text once a second.
 *
 * @param now milliseconds since 1970
 */
export function createLogClock(now: () => number): LogClock {
  let second = Number.NaN;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = logTime(new Date(current * 1000));
    }
    return text;
  };
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
