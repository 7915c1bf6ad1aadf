import { describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import type { ContainerRef } from '../../model/references.ts';
import { OBJECTS, POD } from '../../runtime/plugins/action-fixture.ts';
import { hereDoors, runForPod } from '../../runtime/plugins/container-fixture.ts';
import { exec } from './exec.ts';

const NO_SHELL = { code: 126, stderr: 'exec: "/bin/sh": no such file or directory' };

function run(command: string, { names = ['main'], shell = '', replaced = {}, seconds = 7 } = {}) {
  const here = hereDoors(names, replaced);
  const result = runForPod(exec, { parameters: { command, shell }, use: here.doors, seconds });
  return { ...here, result };
}

describe('kubernetes:exec', () => {
  it('runs the command by the shell, and tells what it wrote', async () => {
    const { result, calls } = run('echo "$0"; printf "%s\\n" "a  b" | tr a c; echo error >&2');
    expect(await result).toEqual({ status: 'success', output: '/bin/sh\nc  b\n', objects: OBJECTS });
    const limited =
      'timeout 1 true </dev/null >/dev/null 2>&1 && exec timeout -s KILL "$1" "$0" -c "$2"; exec "$0" -c "$2"';
    const command = 'echo "$0"; printf "%s\\n" "a  b" | tr a c; echo error >&2';
    expect(calls).toEqual([
      { container: 'main', program: ['/bin/sh', '-c', limited, '/bin/sh', '7', command], stdin: '' },
    ]);
  });

  it('takes another shell, and one that is none of the Bourne family as it is', async () => {
    const named = run('echo "$0"', { shell: 'sh' });
    expect(await named.result).toMatchObject({ output: 'sh\n' });
    const other = run('print(1)', { shell: 'python3', replaced: { main: { stdout: '1\n' } } });
    expect(await other.result).toMatchObject({ output: '1\n' });
    expect(other.calls).toEqual([{ container: 'main', program: ['python3', '-c', 'print(1)'], stdin: '' }]);
  });

  it('ends a command that takes longer than the action may, where there is a `timeout`', async () => {
    const { result } = run('echo begun; sleep 20; echo ended', { seconds: 1 });
    await expect(result).rejects.toThrow('command terminated with exit code 137');
  });

  it.each([
    ['no such program', 'PATH=/nowhere', 'echo "ran $#"'],
    ['one that takes other arguments', 'timeout() { return 1; }', 'echo "ran $#"'],
    ['the same for a long one', 'timeout() { return 1; }', `: ${'x'.repeat(3000)}; echo "ran $#"`],
  ])('runs it without a limit where there is no `timeout`: %s', async (_, before, command) => {
    const here = hereDoors(['main']);
    const result = await runForPod(exec, {
      parameters: { command },
      use: {
        ...here.doors,
        'pods.exec': (container, [shell = '', flag = '', text = '', ...rest], stdin) =>
          here.doors['pods.exec'](container, [shell, flag, `${before}; ${text}`, ...rest], stdin),
      },
    });
    expect(result).toMatchObject({ output: 'ran 0\n' });
  });

  it('fails where a long command cannot be read', async () => {
    const here = hereDoors(['main']);
    const use = {
      ...here.doors,
      'pods.exec': (
        container: ContainerRef,
        [shell = '', flag = '', text = '', ...rest]: readonly string[],
        stdin: string,
      ) => here.doors['pods.exec'](container, [shell, flag, `PATH=/nowhere; ${text}`, ...rest], stdin),
    };
    const failed = runForPod(exec, { parameters: { command: `: ${'x'.repeat(3000)}` }, use });
    await expect(failed).rejects.toThrow('head: not found (exit code 127)');
  });

  it('runs a command that is too long for an argument, and gives it no input of its own', async () => {
    const { result, calls } = run(`cat; echo ${'x'.repeat(200_000)} | wc -c; exit 0`);
    expect(await result).toMatchObject({ output: expect.stringMatching(/^\s*200001\s*$/) });
    expect(calls.map(({ program, stdin }) => [program.join('').length < 800, stdin.length > 200_000])).toEqual([
      [true, true],
    ]);
  });

  it('tells the exit code of such a command too, and ends it', async () => {
    await expect(run(`: ${'x'.repeat(3000)}\nexit 9`).result).rejects.toThrow('command terminated with exit code 9');
    await expect(run(`: ${'x'.repeat(3000)}\nsleep 20`, { seconds: 1 }).result).rejects.toThrow('exit code 137');
  });

  it('refuses what no door takes', async () => {
    const { result, calls } = run('x'.repeat(300_000));
    await expect(result).rejects.toMatchObject({
      code: 'refused',
      message: 'the command is longer than 262144 characters with the values of the alert',
    });
    expect(calls).toEqual([]);
  });

  it('stops at the first container where it works', async () => {
    const { result, calls } = run('echo ok', {
      names: ['distroless', 'main', 'never'],
      replaced: { distroless: NO_SHELL },
    });
    expect(await result).toMatchObject({ status: 'success', output: 'ok\n' });
    expect(calls.map(({ container }) => container)).toEqual(['distroless', 'main']);
  });

  it.each([
    [{ code: 7, stderr: 'cat: x: No such file or directory\n' }, 'cat: x: No such file or directory (exit code 7)'],
    [{ code: 1, stderr: '\u001b[31mred\u001b[0m' }, 'red (exit code 1)'],
    [{ code: 3, stderr: '', stdout: 'half' }, 'command terminated with exit code 3'],
    [NO_SHELL, 'exec: "/bin/sh": no such file or directory (exit code 126)'],
    [{ code: 1, stderr: 'x'.repeat(256 * 1024) }, `${'x'.repeat(3000)} (exit code 1)`],
  ])('fails with the error of the last container where none works', async (last, message) => {
    const replaced = { first: { code: 1, stderr: 'of the first' }, last };
    const { result, calls } = run('x', { names: ['first', 'last'], replaced });
    await expect(result).rejects.toMatchObject({ name: 'DoorError', code: 'refused', message, objects: OBJECTS });
    expect(calls).toHaveLength(2);
  });

  it('fails for a pod without containers', async () => {
    await expect(run('x', { names: [] }).result).rejects.toMatchObject({
      code: 'refused',
      message: 'no container found',
    });
  });

  it('goes on to no other container when nobody knows what happened', async () => {
    const here = hereDoors(['a', 'b']);
    const lost = new DoorError('unreachable', 'no answer');
    let tried = 0;
    const use = {
      ...here.doors,
      'pods.exec': async () => {
        tried++;
        throw lost;
      },
    };
    await expect(runForPod(exec, { parameters: { command: 'x' }, use })).rejects.toBe(lost);
    expect(tried).toBe(1);
  });

  it.each([
    ['\u001b[1;31mred\u001b[0m \u001b]0;title\u0007\u009b2Jtext\u001b(B\u001b[?25l', 'red text'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['plain [31m text', 'plain [31m text'],
  ])('leaves out what is for a terminal: %j', async (stdout, output) => {
    expect(await run('x', { replaced: { main: { stdout } } }).result).toMatchObject({ output });
  });

  it('says where something of a long output is missing', async () => {
    const long = await run('x', { replaced: { main: { stdout: 'x'.repeat(64_000) } } }).result;
    expect(long).toMatchObject({ output: `${'x'.repeat(63_900)}\n[the rest of the output is left out]` });
    const cut = await run('x', { replaced: { main: { stdout: 'x', truncated: true } } }).result;
    expect(cut).toMatchObject({ output: 'x\n[the rest of the output is left out]' });
  });

  it('asks for the containers of the pod', async () => {
    const here = hereDoors(['main']);
    const asked: unknown[] = [];
    const use = {
      ...here.doors,
      'pods.containers': async (pod: unknown) => {
        asked.push(pod);
        return here.doors['pods.containers'](POD);
      },
    };
    await runForPod(exec, { parameters: { command: 'true' }, use });
    expect(asked).toEqual([POD]);
  });

  it.each<[object, string]>([
    [{}, "missing parameter 'command'"],
    [{ command: '' }, "missing parameter 'command'"],
    [{ command: 'x', shell: 1 }, "'shell'"],
  ])('refuses the parameters %j', async (parameters, message) => {
    await expect(runForPod(exec, { parameters: parameters as never, use: {} })).rejects.toThrow(message);
  });
});
