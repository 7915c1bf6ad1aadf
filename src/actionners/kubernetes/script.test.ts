import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { OBJECTS } from '../../runtime/plugins/action-fixture.ts';
import { hereDoors, runForPod } from '../../runtime/plugins/container-fixture.ts';
import { script } from './script.ts';

function run(parameters: Record<string, string>, { seconds = 20, replaced = {}, names = ['main'] } = {}) {
  const here = hereDoors(names, replaced);
  return { ...here, result: runForPod(script, { parameters, use: here.doors, seconds }) };
}
const PADDING = `# ${'x'.repeat(5000)}\n`;

describe('kubernetes:script', () => {
  it.each([
    ['short', ''],
    ['long', PADDING],
  ])('runs a %s script as a shell does', async (_, padding) => {
    const text = `${padding}
      say() { echo "said $1"; }
      say one
      for word in a b; do
        echo "$word"
      done
      cat <<'END'
  $literal
END
      cat; echo "no input"
      set -- x y; echo "$# $0"
      \u0065cho 'ünïcödé 😀'
      false; echo "$?"
    `;
    expect(await run({ script: text }).result).toEqual({
      status: 'success',
      output: 'said one\na\nb\n  $literal\nno input\n2 /bin/sh\nünïcödé 😀\n1\n',
      objects: OBJECTS,
    });
  });

  it('takes the content of a file in the place of its path', async () => {
    expect(await run({ file: 'echo from a file' }).result).toMatchObject({ output: 'from a file\n' });
  });

  it('runs 256 KiB of script', async () => {
    const line = `: ${'y'.repeat(1000)}\n`;
    const text = `${line.repeat(260)}echo done`;
    const { result, calls } = run({ script: text });
    expect(await result).toMatchObject({ output: 'done\n' });
    expect(calls[0]?.stdin).toBe(`${text}\n.end-of-text`);
    expect(calls[0]?.program.join('').length).toBeLessThan(800);
  });

  it('refuses a longer one before it asks for anything', async () => {
    const { result, calls } = run({ script: 'x'.repeat(256 * 1024 + 1) });
    await expect(result).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('the script is longer than 262144'),
    });
    expect(calls).toEqual([]);
  });

  it('tells the exit code, and ends what takes too long', async () => {
    await expect(run({ script: 'echo why >&2; exit 7' }).result).rejects.toMatchObject({
      code: 'refused',
      message: 'why (exit code 7)',
    });
    await expect(run({ script: `${PADDING}exit 8` }).result).rejects.toThrow('exit code 8');
    await expect(run({ script: `${PADDING}sleep 20` }, { seconds: 1 }).result).rejects.toThrow('exit code 137');
  });

  it('gives it to other interpreters as if it were a file', async () => {
    const { result, calls } = run({ script: 'console.log(1 + 1, process.argv.length)', shell: process.execPath });
    expect(await result).toMatchObject({ output: '2 2\n' });
    expect(calls[0]?.program).toContain(process.execPath);
  });

  it.each([
    ['/usr/bin/python3', '-'],
    ['python3.12', '-'],
    ['perl', '-'],
    ['fish', '/dev/stdin'],
    ['/usr/bin/notperl', '/dev/stdin'],
  ])('%s reads it from %s', async (shell, name) => {
    const { result, calls } = run({ script: 'x', shell }, { replaced: { main: { stdout: 'y' } } });
    expect(await result).toMatchObject({ output: 'y' });
    expect(calls).toEqual([
      {
        container: 'main',
        program: ['/bin/sh', '-c', expect.any(String), shell, '20', '14', name],
        stdin: 'x\n.end-of-text',
      },
    ]);
  });

  it('ends what another interpreter takes too long for, and tells its exit code', async () => {
    const shell = process.execPath;
    await expect(run({ script: 'process.exit(5)', shell }).result).rejects.toThrow('exit code 5');
    await expect(run({ script: 'setTimeout(() => 0, 20000)', shell }, { seconds: 1 }).result).rejects.toThrow(
      'exit code 137',
    );
    await expect(run({ script: 'x', shell: '/no/python3' }).result).rejects.toThrow(/no\/python3.* \(exit code 127\)/);
  });

  it('runs in the first container where it works', async () => {
    const replaced = { bare: { code: 127, stderr: 'no shell' } };
    const { result, calls } = run({ script: 'echo ok' }, { replaced, names: ['bare', 'main', 'other'] });
    expect(await result).toMatchObject({ output: 'ok\n' });
    expect(calls.map(({ container }) => container)).toEqual(['bare', 'main']);
  });

  it.each<[Record<string, string>, string]>([
    [{}, "missing parameter 'script' or 'file'"],
    [{ script: 'a', file: 'b' }, "'script' and 'file' parameters can't be set at the same time"],
  ])('refuses the parameters %j', async (parameters, message) => {
    await expect(run(parameters).result).rejects.toThrow(message);
  });
});
