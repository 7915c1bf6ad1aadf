import { describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import type { Progress } from '../../model/journal.ts';
import type { ObjectTarget, PodTarget } from '../../model/targets.ts';
import { NotAsked } from '../apis.ts';
import { beginStep } from '../plugins/broker.ts';
import { fakeAdapters } from '../plugins/executor-fixture.ts';
import { journaledRecord } from './journaled-record.ts';
import { StepHistory } from './resume.ts';

function build(once: boolean) {
  const history = new StepHistory();
  const written: Progress[] = [];
  const record = () =>
    journaledRecord({ step: 0, history, once, append: async (progress) => void written.push(progress) });
  return { history, written, record };
}

it('gives the answers of a call in their order, to each try from the first on', async () => {
  const { record } = build(false);
  const first = record();
  expect(first.take('c')).toBeUndefined();
  await first.answers('c', 'door', 1);
  expect(first.take('c')).toBeUndefined();
  await first.answers('c', 'door', 2);
  const second = record();
  expect([second.take('c'), second.take('other'), second.take('c'), second.take('c')]).toEqual([
    { answer: 1 },
    undefined,
    { answer: 2 },
    undefined,
  ]);
});

it('records beforehand only what must not be made twice', async () => {
  for (const once of [true, false]) {
    const { record, written } = build(once);
    await record().begins('c', 'door', false);
    expect(written).toEqual(once ? [{ kind: 'began', step: 0, call: 'c', door: 'door' }] : []);
  }
});

it.each([
  [new DoorError('refused', 'no'), 'refused', false],
  [new DoorError('busy', 'later'), 'busy', false],
  [new DoorError('unreachable', 'no answer'), 'unreachable', true],
  [new NotAsked('kubernetes'), 'busy', false],
  [new DoorError('unreachable', 'no connection', { unasked: true }), 'busy', false],
  [new Error('a defect'), 'bug', true],
])('says after %s whether the effect may have been made', async (error, code, uncertain) => {
  const { record, written, history } = build(true);
  await record().begins('c', 'door', false);
  expect(history.uncertain).toBe(true);
  await record().fails('c', 'door', error);
  expect(written.at(-1)).toEqual({ kind: 'failed', step: 0, call: 'c', door: 'door', code });
  expect(history.uncertain).toBe(uncertain);
});

describe('a pod that is being ended when the server ends', () => {
  const NAMED: PodTarget = { kind: 'pod', namespace: 'shop', name: 'web-0' };

  /** A run of a step that deletes a pod, with all that the runs before have recorded. */
  function run(written: readonly Progress[], adapters: Partial<Adapters>) {
    const history = new StepHistory();
    for (const each of written) if (each.kind !== 'reopened') history.apply(each);
    history.forgetOpen();
    const after = [...written];
    const append = async (progress: Progress) => void after.push(progress);
    const record = journaledRecord({ step: 0, history, once: false, append });
    const { adapters: doors, calls } = fakeAdapters(adapters);
    const { signal } = new AbortController();
    const step = beginStep({ uses: ['pods.owner', 'pods.delete'], adapters: doors, record, signal });
    const ref = step.mint(NAMED);
    return { calls, after, ask: () => step.call('pods.owner', [ref]), end: () => step.call('pods.delete', [ref, 0]) };
  }

  it('is ended by its UID, and another pod of its name is left alone', async () => {
    const first = run([], { 'pods.uid': async () => 'uid-1', 'pods.delete': () => new Promise(() => undefined) });
    await first.ask();
    void first.end();
    await expect.poll(() => first.after.at(-1)?.kind).toBe('began');

    const deleted: unknown[] = [];
    const second = run(first.after, {
      'pods.uid': async () => 'uid-2',
      'pods.delete': async (pod) => {
        deleted.push(pod.uid);
        throw new DoorError('refused', 'the UID in the precondition is another one', { replaced: true });
      },
    });
    expect(await second.ask()).toEqual({ kind: 'DaemonSet', name: 'agent' });
    await expect(second.end()).resolves.toBeUndefined();
    expect(deleted).toEqual(['uid-1']);
    expect(second.calls).toEqual([]);
  });

  it('so is an object that is being deleted', async () => {
    const object: ObjectTarget = { kind: 'object', resource: 'configmaps', namespace: 'shop', name: 'web' };
    const history = new StepHistory();
    const append = async () => undefined;
    const deleted: unknown[] = [];
    let uid = 'uid-1';
    const remove = () => {
      const record = journaledRecord({ step: 0, history, once: false, append });
      const { adapters } = fakeAdapters({
        'objects.uid': async () => uid,
        'objects.delete': async (target) => {
          deleted.push(target.uid);
          if (target.uid !== uid) throw new DoorError('refused', 'another UID', { replaced: true });
          throw new DoorError('unreachable', 'no answer');
        },
      });
      const { signal } = new AbortController();
      const step = beginStep({ uses: ['objects.delete'], adapters, record, signal });
      return step.call('objects.delete', [step.mint(object)]);
    };
    await expect(remove()).rejects.toThrow('no answer');
    uid = 'uid-2';
    await expect(remove()).resolves.toBeUndefined();
    expect(deleted).toEqual(['uid-1', 'uid-1']);
  });

  it('that is gone without our doing is missed', async () => {
    const gone = async () => {
      throw new DoorError('not-found', 'gone');
    };
    await expect(run([], { 'pods.delete': gone }).end()).rejects.toThrow('gone');
    await expect(run([], { 'pods.uid': gone, 'pods.delete': gone }).end()).rejects.toThrow('gone');
  });

  it('is looked up anew by the next try, if it was certainly not ended', async () => {
    const first = run([], {
      'pods.delete': async () => {
        throw new DoorError('busy', 'later');
      },
    });
    await first.ask();
    await expect(first.end()).rejects.toThrow('later');
    const second = run([...first.after, { kind: 'started', step: 0, attempt: 2 }], {});
    await second.ask();
    expect(second.calls.map(([door]) => door)).toEqual(['pods.owner']);
  });
});
