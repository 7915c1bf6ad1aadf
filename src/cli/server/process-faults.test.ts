import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const FILE = path.join(import.meta.dirname, 'process-faults.ts');

function run(fault: string) {
  const script = `
    const { reportProcessFaults } = await import(${JSON.stringify(FILE)});
    reportProcessFaults(({ level, message }) => console.log(level, message));
    setTimeout(() => console.log('still here'), 50);
    ${fault}`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, lines: stdout.trim().split('\n') };
}

it('logs an exception that nobody caught, and ends the process', () => {
  expect(run(`setImmediate(() => { throw new Error('boom'); });`)).toEqual({ status: 1, lines: ['fatal panic'] });
});

it('logs a promise that nobody waited for, and goes on', () => {
  expect(run(`Promise.reject(new Error('boom'));`)).toEqual({
    status: 0,
    lines: ['error recovered from panic while processing event', 'still here'],
  });
});
