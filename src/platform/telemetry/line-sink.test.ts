import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLineSink } from './line-sink.ts';

describe('createLineSink', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-sink-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes lines in order, before anything else happens', async () => {
    const file = path.join(folder, 'log');
    const descriptor = openSync(file, 'a');
    const { write } = createLineSink(descriptor, () => expect.unreachable());
    write('one\n');
    write('größe 🐈\n');
    await Promise.resolve();
    expect(readFileSync(file, 'utf8')).toBe('one\ngröße 🐈\n');
    write('three\n');
    await Promise.resolve();
    expect(readFileSync(file, 'utf8')).toBe('one\ngröße 🐈\nthree\n');
    closeSync(descriptor);
  });

  it('writes at once when told to, and when much has come together', () => {
    const file = path.join(folder, 'log');
    const descriptor = openSync(file, 'a');
    const { write, flush } = createLineSink(descriptor, () => expect.unreachable());
    write('one\n');
    flush();
    flush();
    expect(readFileSync(file, 'utf8')).toBe('one\n');
    for (let line = 0; line < 100; line++) write(`${'x'.repeat(1000)}\n`);
    expect(readFileSync(file, 'utf8').length).toBeGreaterThan(60_000);
    flush();
    closeSync(descriptor);
  });

  it('tells how many lines are lost, and goes on', () => {
    const descriptor = openSync(path.join(folder, 'log'), 'a');
    closeSync(descriptor);
    let lost = 0;
    const { write, flush } = createLineSink(descriptor, (lines) => {
      lost += lines;
    });
    write('one\n');
    write('two\n');
    flush();
    expect(lost).toBe(2);
    write('three\n');
    flush();
    expect(lost).toBe(3);
  });

  it('counts those that a reader who does not read holds up for too long', () => {
    // A pipe of 64 KiB takes the first lines of three times as much.
    const script = path.join(import.meta.dirname, 'line-sink.ts');
    const writer = `
      process.stdout._handle?.setBlocking?.(false);
      const { createLineSink } = await import(${JSON.stringify(script)});
      let lost = 0;
      const sink = createLineSink(1, (lines) => { lost += lines; });
      for (let line = 0; line < 12; line++) sink.write('x'.repeat(16_383) + '\\n');
      sink.flush();
      process.stderr.write(String(lost));
      (await import('node:fs')).writeFileSync(${JSON.stringify(path.join(folder, 'over'))}, '');`;
    const reader = 'until [ -e "$2" ]; do sleep 0.05; done; cat';
    const result = spawnSync(
      'sh',
      [
        '-c',
        `"$0" --import tsx --input-type=module -e "$1" | (${reader})`,
        ...[process.execPath, writer, path.join(folder, 'over')],
      ],
      { encoding: 'utf8', maxBuffer: 1 << 24 },
    );
    expect(result.stdout.split('\n').slice(0, -1)).toHaveLength(4);
    expect(result.stderr).toBe('8');
  });

  it('waits for a slow reader of a pipe and loses nothing', () => {
    // A non-blocking pipe of 64 KiB, a writer of 2 MB, and a reader that starts late.
    const script = path.join(import.meta.dirname, 'line-sink.ts');
    const writer = `
      process.stdout._handle?.setBlocking?.(false);
      const { createLineSink } = await import(${JSON.stringify(script)});
      const { write } = createLineSink(1, () => process.exit(3));
      for (let line = 0; line < 200; line++) write(String(line).padStart(4) + 'ü'.repeat(5000) + '\\n');`;
    const result = spawnSync(
      'sh',
      ['-c', `"$0" --import tsx --input-type=module -e "$1" | (sleep 0.4; cat)`, process.execPath, writer],
      { encoding: 'utf8', maxBuffer: 1 << 24 },
    );
    expect(result.stderr).toBe('');
    const lines = result.stdout.split('\n');
    expect(lines).toHaveLength(201);
    expect(lines.slice(0, 200).every((line, index) => line === `${String(index).padStart(4)}${'ü'.repeat(5000)}`)).toBe(
      true,
    );
  });
});
