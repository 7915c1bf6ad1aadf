import { describe, expect, it } from 'vitest';
import { noticeOf } from './notice-of.ts';
import { noticed } from './notices-sample.ts';

const AT = Date.UTC(2026, 2, 1, 10, 0, 0, 7);
const { step } = noticed();

const OF_ALL = {
  time: '2026-03-01T10:00:00.007Z',
  trace_id: 'f'.repeat(32),
  rule: 'R',
  actionner: 'test:label',
  action: 'label',
};

describe('noticeOf', () => {
  it('tells of an action: the text of the alert, what was done, and to what', () => {
    const objects = { pod: 'web', function_response: 'ok', CalicoNetworkPolicy: 'p', empty: '' };
    const notice = noticeOf(step, { kind: 'action', end: { status: 'success', output: 'done', objects } }, AT);
    expect(notice).toEqual({
      ...OF_ALL,
      objects: { Pod: 'web', Function_response: 'ok', Caliconetworkpolicy: 'p' },
      event: 'a shell',
      message: 'action',
      output: 'done',
      status: 'success',
    });
  });

  it('has the keys in the order of Falco Talon', () => {
    const end = { status: 'success', output: 'done', objects: { pod: 'web' } } as const;
    expect(Object.keys(noticeOf(step, { kind: 'action', end }, AT)).join()).toBe(
      'time,objects,trace_id,rule,event,message,output,actionner,action,status',
    );
    expect(Object.keys(noticeOf(step, { kind: 'output', output: 'aws:s3', outcome: end }, AT)).join()).toBe(
      'time,objects,trace_id,rule,message,output,category,output_target,actionner,action,status',
    );
  });

  it('tells of an output: where to, and not the alert', () => {
    const outcome = { status: 'failure', code: 'busy', error: 'slow down', objects: {} } as const;
    expect(noticeOf(step, { kind: 'output', output: 'aws:s3', outcome }, AT)).toEqual({
      ...OF_ALL,
      message: 'output',
      error: 'slow down',
      category: 'aws',
      output_target: 'aws:s3',
      status: 'failure',
    });
  });

  it.each([
    [
      { status: 'ignored', result: 'no owner', objects: {} },
      { status: 'ignored', result: 'no owner' },
    ],
    [
      { status: 'denied', policy: 'p', reason: 'prod', objects: {} },
      { status: 'denied', result: 'p: prod' },
    ],
    [
      { status: 'parked', policy: 'p', reason: 'spent', objects: {} },
      { status: 'parked', result: 'p: spent' },
    ],
    [{ status: 'success', output: '', objects: {} }, { status: 'success' }],
  ] as const)('says of %j why nothing was done', (end, told) => {
    expect(noticeOf(step, { kind: 'action', end }, AT)).toEqual({
      ...{ ...OF_ALL, event: 'a shell', message: 'action' },
      ...told,
    });
  });

  it('cuts what is too long, and no character in two', () => {
    const long = `${'x'.repeat(8_190)}😀${'x'.repeat(10)}`;
    const end = { status: 'failure', code: 'bug', error: long, objects: {} } as const;
    const { event, error } = noticeOf(noticed([], long).step, { kind: 'action', end }, AT);
    expect(error).toBe(`${'x'.repeat(8_190)}…`);
    expect(event).toBe(error);
  });
});
