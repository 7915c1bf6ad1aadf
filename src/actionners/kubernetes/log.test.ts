import { describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { OBJECTS } from '../../runtime/plugins/action-fixture.ts';
import { containerRef, runForPod } from '../../runtime/plugins/container-fixture.ts';
import { log } from './log.ts';

type Logs = Readonly<Record<string, string | Error>>;

function run(logs: Logs, keeps: boolean, parameters: ParameterMap = {}) {
  const calls: unknown[][] = [];
  const logsOf = (door: string, name: string, lines: number) => {
    calls.push([door, name, lines]);
    const found = logs[name] ?? '';
    if (typeof found !== 'string') throw found;
    return found;
  };
  const use = {
    'pods.containers': async () => Object.keys(logs).map((name, index) => containerRef(name, index + 1)),
    'pods.logs': async ({ name }: { name: string }, lines: number) => logsOf('text', name, lines),
    'pods.keepLogs': async ({ name }: { name: string }, lines: number) => artifact(logsOf('kept', name, lines)),
  };
  return { calls, result: runForPod(log, { parameters, use, keeps }) };
}

function artifact(text: string): ArtifactRef {
  return { kind: 'artifact', ref: 9, name: 'log', size: text.length, sha256: text, mediaType: 'text/plain' };
}

const DOWNLOADED = "the logs for the pod 'web' in the namespace 'shop' has been downloaded";
const broken = new DoorError('refused', 'container "b" is waiting to start');

describe('kubernetes:log', () => {
  it('tells the logs themselves where there is no place for them', async () => {
    const { calls, result } = run({ main: 'one\n\u001b[31mtwo\n' }, false);
    expect(await result).toEqual({ status: 'success', output: 'one\n\u001b[31mtwo\n', objects: OBJECTS });
    expect(calls).toEqual([['text', 'main', 20]]);
  });

  it('keeps them where there is one', async () => {
    const { calls, result } = run({ main: 'one\n' }, true, { tail_lines: 3 });
    expect(await result).toEqual({
      status: 'success',
      output: DOWNLOADED,
      objects: OBJECTS,
      artifact: artifact('one\n'),
    });
    expect(calls).toEqual([['kept', 'main', 3]]);
  });

  it.each<[ParameterMap, number]>([
    [{ tail_lines: 0 }, 20],
    [{ tail_lines: null }, 20],
    [{ tail_lines: 1000 }, 1000],
  ])('%j asks for %i lines', async (parameters, lines) => {
    const { calls, result } = run({ main: 'x' }, false, parameters);
    await result;
    expect(calls).toEqual([['text', 'main', lines]]);
  });

  it.each<[string, Logs, string, number]>([
    ['the first container that logged anything', { a: '', b: 'of b', c: 'of c' }, 'of b', 2],
    ['one after a failure', { a: broken, b: 'of b' }, 'of b', 2],
    ['nothing where none logged anything', { a: '', b: '' }, '', 2],
    ['nothing after a failure', { a: broken, b: '' }, '', 2],
  ])('takes %s', async (_, logs, output, asked) => {
    for (const keeps of [false, true]) {
      const { calls, result } = run(logs, keeps);
      expect(await result).toMatchObject(keeps ? { artifact: artifact(output) } : { output });
      expect(calls).toHaveLength(asked);
    }
  });

  it('fails where the last container fails', async () => {
    for (const keeps of [false, true]) {
      await expect(run({ a: '', b: broken }, keeps).result).rejects.toBe(broken);
      await expect(run({ b: broken }, keeps).result).rejects.toBe(broken);
    }
  });

  it('fails for a pod without containers', async () => {
    await expect(run({}, false).result).rejects.toMatchObject({ code: 'refused', message: 'no container found' });
  });

  it.each<[ParameterMap, string]>([
    [{ tail_lines: -1 }, 'tail_lines'],
    [{ tail_lines: '5' }, 'tail_lines'],
  ])('refuses the parameters %j', async (parameters, message) => {
    await expect(run({ main: '' }, false, parameters).result).rejects.toThrow(message);
  });
});
