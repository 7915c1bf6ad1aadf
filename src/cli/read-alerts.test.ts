import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readAlerts, splitAlerts } from './read-alerts.ts';
import { recordingTerminal } from './recording-terminal.ts';

async function split(...chunks: string[]): Promise<string[]> {
  const stream = recordingTerminal({ input: chunks }).input;
  const alerts: string[] = [];
  for await (const { name, bytes } of splitAlerts(stream, 'f'))
    alerts.push(`${name} ${Buffer.from(bytes).toString().trim()}`);
  return alerts;
}

describe('one alert per line, or one in all', () => {
  test('lines', async () => {
    expect(await split('{"a":1}\n{"a":2}\n')).toEqual(['f:1 {"a":1}', 'f:2 {"a":2}']);
    expect(await split('\n  {"a":1} \r\n\n{"a":2}')).toEqual(['f:2 {"a":1}', 'f:4 {"a":2}']);
  });

  test('a line that is no alert is handed on, to be refused with its number', async () => {
    expect(await split('{"a":1}\nnonsense\n{"a":2}\n')).toEqual(['f:1 {"a":1}', 'f:2 nonsense', 'f:3 {"a":2}']);
  });

  test('an object over several lines', async () => {
    expect(await split('{\n  "a": 1\n}\n')).toEqual(['f {\n  "a": 1\n}']);
    expect(await split('null')).toEqual(['f null']);
    expect(await split('')).toEqual([]);
    expect(await split(' \n \n')).toEqual([]);
  });

  test('however the stream is cut', async () => {
    const lines = fc.array(
      fc.dictionary(fc.string(), fc.string()).map((value) => JSON.stringify(value)),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(40), async (texts, size) => {
        const text = texts.join('\n');
        const chunks = Array.from({ length: Math.ceil(text.length / (size + 1)) }, (_, index) =>
          text.slice(index * (size + 1), (index + 1) * (size + 1)),
        );
        expect(await split(...chunks)).toEqual(texts.map((line, index) => `f:${index + 1} ${line.trim()}`));
      }),
    );
  });

  test('an endless line is refused', async () => {
    const stream = recordingTerminal({ input: Array.from({ length: 20 }, () => 'x'.repeat(100_000)) }).input;
    await expect(async () => {
      for await (const _ of splitAlerts(stream, 'f'));
    }).rejects.toThrow('cannot read f: it has an alert of more than 1 MiB');
  });
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-alerts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function names(files: string[]): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of readAlerts(files, recordingTerminal({ input: ['{"a":1}'] }))) found.push(name);
    return found;
  }

  test('in order, - for stdin, stdin for none', async () => {
    const file = path.join(folder, 'a.json');
    writeFileSync(file, '{"a":1}\n{"a":2}');
    expect(await names([file, '-'])).toEqual([`${file}:1`, `${file}:2`, 'stdin:1']);
    expect(await names([])).toEqual(['stdin:1']);
  });

  test('one that cannot be read', async () => {
    await expect(names([path.join(folder, 'no.json')])).rejects.toThrow('no.json: no such file or directory');
    await expect(names([folder])).rejects.toThrow('is a directory');
  });
});
