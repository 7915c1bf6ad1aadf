import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../model/log-record.ts';
import { formatLogLine, type LogFormat } from './log-line.ts';

const NOON = new Date('2026-03-01T12:00:00.750Z');
const COLOR = new RegExp(`${'\x1b'}\\[\\d+m`, 'g');
const FORMATS: readonly LogFormat[] = ['text', 'color', 'json'];

const ACTION: LogRecord = {
  level: 'info',
  message: 'action',
  fields: {
    status: 'success',
    rule: 'Quarantine',
    event: 'A shell in cart (user=root)',
    action: 'Mark',
    actionner: 'kubernetes:label',
    output: "the pod 'cart-0' in the namespace 'shop' has been labeled",
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    result: '',
  },
  objects: { Pod: 'cart-0', namespace: 'shop' },
};
const FAILURE: LogRecord = {
  level: 'error',
  message: 'action',
  fields: { error: 'missing pod name', action: 'Mark', status: 'failure' },
};

describe('formatLogLine', () => {
  it('writes text with sorted fields and no empty ones', () => {
    expect(line(ACTION, 'text')).toBe(
      '2026-03-01T12:00:00Z INF action action=Mark actionner=kubernetes:label event="A shell in cart (user=root)" ' +
        "namespace=shop output=\"the pod 'cart-0' in the namespace 'shop' has been labeled\" pod=cart-0 " +
        'rule=Quarantine status=success trace_id=0af7651916cd43dd8448eb211c80319c\n',
    );
  });

  it('puts the error first in text', () => {
    expect(line(FAILURE, 'text')).toBe(
      '2026-03-01T12:00:00Z ERR action error="missing pod name" action=Mark status=failure\n',
    );
  });

  it('colours time, level, tag, keys and the error', () => {
    const e = '\x1b';
    expect(line(FAILURE, 'color')).toBe(
      `${e}[90m2026-03-01T12:00:00Z${e}[0m ${e}[31mERR${e}[0m ${e}[1maction${e}[0m ` +
        `${e}[36merror=${e}[0m${e}[31m${e}[1m"missing pod name"${e}[0m${e}[0m ` +
        `${e}[36maction=${e}[0mMark ${e}[36mstatus=${e}[0mfailure\n`,
    );
  });

  it.each([
    ['info', 'INF', 32],
    ['warn', 'WRN', 33],
    ['error', 'ERR', 31],
    ['fatal', 'FTL', 31],
  ] as const)('names the level %s', (level, short, color) => {
    expect(line({ level, message: 'init' }, 'text')).toBe(`2026-03-01T12:00:00Z ${short} init\n`);
    expect(line({ level, message: 'init' }, 'color')).toContain(`\x1b[${color}m${short}\x1b[0m`);
  });

  it('writes JSON with the keys in the order of Falco Talon, objects after the fields, the error before the time', () => {
    expect(line(ACTION, 'json')).toBe(
      '{"level":"info","rule":"Quarantine","event":"A shell in cart (user=root)",' +
        '"output":"the pod \'cart-0\' in the namespace \'shop\' has been labeled","actionner":"kubernetes:label",' +
        '"action":"Mark","status":"success","trace_id":"0af7651916cd43dd8448eb211c80319c","pod":"cart-0",' +
        '"namespace":"shop","time":"2026-03-01T12:00:00Z","message":"action"}\n',
    );
    expect(line({ ...FAILURE, objects: { pod: 'a' } }, 'json')).toBe(
      '{"level":"error","action":"Mark","status":"failure","pod":"a","error":"missing pod name",' +
        '"time":"2026-03-01T12:00:00Z","message":"action"}\n',
    );
  });

  it('keeps objects that are empty, and lets a field win over an object of the same name', () => {
    const record: LogRecord = {
      level: 'info',
      message: 'action',
      fields: { status: 'success' },
      objects: { namespace: '', Status: 'forged' },
    };
    expect(line(record, 'text')).toBe('2026-03-01T12:00:00Z INF action namespace= status=success\n');
    expect(JSON.parse(line(record, 'json'))).toMatchObject({ namespace: '', status: 'success' });
  });

  it.each([
    ['plain', 'plain'],
    ['a=b', 'a=b'],
    ['two words', '"two words"'],
    ['say "hi"', String.raw`"say \"hi\""`],
    ['back\\slash', String.raw`"back\\slash"`],
    ['line\nfeed\r\ttab', String.raw`"line\nfeed\r\ttab"`],
    ['\x1b[31mred', String.raw`"\x1b[31mred"`],
    ['bell\x07 \x7f\x00', String.raw`"bell\a \x7f\x00"`],
    ['größe', '"größe"'],
    ['✓ 猫 🐈', '"✓ 猫 🐈"'],
    ['right\u202eleft', String.raw`"right\u202eleft"`],
    ['no\u00a0break', String.raw`"no\u00a0break"`],
    ['tag\u{e0041}', String.raw`"tag\U000e0041"`],
  ])('quotes %j as Go does', (value, shown) => {
    expect(line({ level: 'info', message: 'event', fields: { output: value } }, 'text')).toBe(
      `2026-03-01T12:00:00Z INF event output=${shown}\n`,
    );
  });

  it('never lets a value break out of its line, whatever the format', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(anyText, anyText, anyText, (value, error, object) => {
        const record: LogRecord = {
          level: 'error',
          message: 'action',
          fields: { event: value, error },
          objects: { pod: object },
        };
        for (const format of FORMATS) {
          const written = line(record, format);
          const plain = format === 'color' ? written.replace(COLOR, '') : written;
          expect(plain.endsWith('\n')).toBe(true);
          expect(plain.slice(0, -1)).not.toMatch(/[\p{C}\u2028\u2029]/u);
        }
        expect(JSON.parse(line(record, 'json')).pod).toBe(object);
      }),
    );
  });

  it('shows the local time zone', () => {
    const summer = { getTimezoneOffset: () => -330, getTime: () => NOON.getTime() } as Date;
    expect(formatLogLine(FAILURE, 'text', summer)).toMatch(/^2026-03-01T17:30:00\+05:30 /);
    const west = { getTimezoneOffset: () => 210, getTime: () => NOON.getTime() } as Date;
    expect(formatLogLine(FAILURE, 'text', west)).toMatch(/^2026-03-01T08:30:00-03:30 /);
  });
});

function line(record: LogRecord, format: LogFormat): string {
  const utc = { getTimezoneOffset: () => 0, getTime: () => NOON.getTime() } as Date;
  return formatLogLine(record, format, utc);
}
