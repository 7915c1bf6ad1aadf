import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../model/log-record.ts';
import { formatLogLine, type LogFormat, logTime } from '../../platform/telemetry/log-line.ts';
import { createLog } from './server-log.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const COLOR = new RegExp(`${'\x1b'}\\[\\d+m`, 'g');

/** What an attacker may put into names of files, processes and pods. */
const HOSTILE = [
  'two\nlines\r\nand a forged one: level=fatal',
  '\x1b[2J\x1b]0;title\x07 cleared',
  'right \u202e to left \u2066 isolate',
  '\u2028line\u2029paragraph\u0085next',
  'nul \0 and \x9b31m c1',
  '"}\n{"level":"fatal"',
  '\ud800 half a pair',
  'x'.repeat(1 << 20),
  '\x07'.repeat(1 << 18),
];

const RECORDS: readonly LogRecord[] = [
  { level: 'info', message: 'init', fields: { result: '3 rule(s) has/have been successfully loaded' } },
  { level: 'warn', message: 'config', fields: { result: 'w' } },
  { level: 'fatal', message: 'http', fields: { error: 'listen tcp' } },
  {
    level: 'error',
    message: 'action',
    fields: { error: 'no', action: 'Mark', status: 'failure', result: '', rule: 'ünïcode' },
    objects: { Pod: 'web', namespace: '', status: 'forged' },
  },
];

describe('createLog', () => {
  it.each<LogFormat>(['text', 'color', 'json'])('writes the lines of Falco Talon as %s', (format) => {
    for (const record of RECORDS) expect(logged(record, format)).toEqual([formatLogLine(record, format, NOW)]);
  });

  it.each<LogFormat>(['text', 'color', 'json'])('keeps what an alert says inert as %s', (format) => {
    for (const text of HOSTILE) {
      const record: LogRecord = {
        level: 'error',
        message: 'action',
        fields: { event: text, rule: text, error: text },
        objects: { pod: text },
      };
      const [line = '', ...more] = logged(record, format);
      expect(more).toEqual([]);
      expect(line).toBe(formatLogLine(record, format, NOW));
      const shown = (format === 'color' ? line.replace(COLOR, '') : line).slice(0, -1);
      expect(/[\p{C}\u2028\u2029]/u.test(shown), shown.slice(0, 100)).toBe(false);
    }
  });
});

function logged(record: LogRecord, format: LogFormat): string[] {
  const lines: string[] = [];
  createLog(
    format,
    (line) => lines.push(line),
    () => logTime(NOW),
  )(record);
  return lines;
}
