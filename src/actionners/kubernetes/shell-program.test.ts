import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { commandProgram, type ShellProgram, scriptProgram } from './shell-program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'talon-shells-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Those of this machine; `sh` is always there. */
const SHELLS = ['/bin/sh', '/bin/bash', '/bin/dash', '/bin/ksh', '/bin/zsh', ...busyboxShell()].filter(existsSync);
const LONG = `# ${'x'.repeat(5000)}\n`;

function busyboxShell(): readonly string[] {
  if (!existsSync('/bin/busybox')) return [];
  symlinkSync('/bin/busybox', path.join(folder, 'ash'));
  return [path.join(folder, 'ash')];
}

/** Runs it as a container does: no end follows its input, unless it has none. */
async function run({ program: [file = '', ...given], stdin }: ShellProgram) {
  const child = spawn(file, given, { stdio: [stdin === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(stdin);
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 137)));
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { code: await ended, stdout, stderr };
}

describe.each(SHELLS)('a program of %s', (shell) => {
  it.each([
    ['short', ''],
    ['long', LONG],
  ])('is a %s text as it is, with an input that is at its end', async (_, padding) => {
    const script = `${padding}echo "$# $0"; cat; read line; echo "'$line'"; cat <<'END'
'quoted' "\${x%?.end-of-text}" \\
END
exit 3 # ünïcödé 😀`;
    const { code, stdout } = await run(scriptProgram(shell, script));
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `0 ${shell}\n''\n'quoted' "\${x%?.end-of-text}" \\\n`,
    });
  });

  it('ends with its time', async () => {
    const endless = 'echo begun; while :; do sleep 0.1; done';
    const programs = ['', LONG].map((padding) => commandProgram(shell, padding + endless, 1));
    const killed = { code: 137, stdout: 'begun\n' };
    expect(await Promise.all(programs.map(run))).toMatchObject([killed, killed]);
  });

  it('runs nothing of a text of which only a part came', async () => {
    const { program, stdin } = commandProgram(shell, `touch ${folder}/run\n${LONG}`);
    const child = spawn(program[0] ?? '', program.slice(1), { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin?.end(stdin.slice(0, -1));
    expect(await text(child.stderr!)).toBe('only a part of the text came\n');
    expect(existsSync(path.join(folder, 'run'))).toBe(false);
  });

  it('takes 256 KiB of text', async () => {
    const script = `: ${'é'.repeat(1000)}\n`.repeat(260);
    expect(await run(scriptProgram(shell, `${script}echo done\n`))).toMatchObject({ code: 0, stdout: 'done\n' });
  });
});

describe('a script of another interpreter', () => {
  it('is read to its end', async () => {
    const script = `${'//'.repeat(5000)}\nrequire('fs').readFileSync(0); console.log('${'é'.repeat(20)}', process.argv.length);`;
    const { code, stdout } = await run(scriptProgram(process.execPath, script));
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${'é'.repeat(20)} 2\n` });
  });
});
