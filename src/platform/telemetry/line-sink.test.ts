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

  it('writes lines in order, before it returns', () => {
    const file = path.join(folder, 'log');
    const descriptor = openSync(file, 'a');
    const write = createLineSink(descriptor, () => expect.unreachable());
    write('one\n');
    write('größe 🐈\n');
    expect(readFileSync(file, 'utf8')).toBe('one\ngröße 🐈\n');
    closeSync(descriptor);
  });

  it('tells when a line is lost and goes on', () => {
    const descriptor = openSync(path.join(folder, 'log'), 'a');
    closeSync(descriptor);
    let lost = 0;
    const write = createLineSink(descriptor, () => lost++);
    write('one\n');
    write('two\n');
    expect(lost).toBe(2);
  });

  it('waits for a slow reader of a pipe and loses nothing', () => {
    // A non-blocking pipe of 64 KiB, a writer of 2 MB, and a reader that starts late.
    const script = path.join(import.meta.dirname, 'line-sink.ts');
    const writer = `
      process.stdout._handle?.setBlocking?.(false);
      const { createLineSink } = await import(${JSON.stringify(script)});
      const write = createLineSink(1, () => process.exit(3));
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
