import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import { readEnd } from './read-end.ts';

const artifact = { kind: 'artifact', handle: 'h', name: 'a', size: 1, sha256: 's', mediaType: 'm' } as const;
const known = new DoorError('busy', 'later');
const step = {
  errorOf: (call: number) => (call === 3 ? known : undefined),
  artifact: (ref: unknown) => (ref === 5 ? artifact : undefined),
  failureOf: (error: unknown) => {
    const { code, message, retryAfterMs } = error as DoorError;
    return {
      status: 'failure',
      code,
      error: message,
      objects: {},
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    } as const;
  },
};
const read = (end: unknown) => readEnd(JSON.stringify(end), step);

describe('an end', () => {
  it('with a result is what the fields say, and no more', () => {
    const objects = { pod: 'web', list: ['x'], 'bad name': 'x', toString: 'x' };
    const result = {
      status: 'success',
      output: 'done',
      objects,
      code: 'limit',
      artifact: { ref: 5, handle: 'forged' },
    };
    const { kind: _, ...handed } = artifact;
    expect(read({ result })).toEqual({
      status: 'success',
      output: 'done',
      objects: { pod: 'web', toString: 'x' },
      artifact: handed,
    });
    expect(read({ result: { status: 'ignored', result: 'why', output: 'x', objects: null } })).toEqual({
      status: 'ignored',
      result: 'why',
      objects: {},
    });
  });

  it('with the error of a door is what the door said, whatever the plug-in adds', () => {
    expect(read({ error: 'mine', call: 3, code: 'refused' })).toMatchObject({ code: 'busy', error: 'later' });
  });

  it('with another error is a bug of the plug-in, or what it may claim', () => {
    expect(read({ error: 'oops', call: 4 })).toMatchObject({ code: 'bug', error: 'the actionner failed: oops' });
    expect(read({ error: 'oops', code: 'refused' })).toMatchObject({ code: 'refused', error: 'oops', objects: {} });
    const objects = { node: 'node-1', list: ['x'], 'bad name': 'x' };
    expect(read({ error: 'oops', code: 'refused', objects })).toMatchObject({ objects: { node: 'node-1' } });
    expect(read({ error: 'oops', call: 3, code: 'refused', objects })).toMatchObject({ code: 'busy', objects: {} });
    for (const code of ['unreachable', 'interrupted', 'deadline', 'missing-field']) {
      expect(read({ error: 'oops', code })).toMatchObject({ code: 'bug' });
    }
  });

  it('may ask to be left alone for a while, but not for ever', () => {
    const busy = { error: 'later', code: 'busy' };
    expect(read({ ...busy, retryAfterMs: 5 })).toMatchObject({ code: 'busy', retryAfterMs: 5 });
    expect(read({ ...busy, retryAfterMs: 1e12 })).toMatchObject({ retryAfterMs: 3_600_000 });
    for (const retryAfterMs of [-1, '5', null, {}]) {
      expect(read({ ...busy, retryAfterMs })).not.toHaveProperty('retryAfterMs');
    }
  });

  it('is always an outcome', () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((json) => `{"result":${json}}`),
    );
    const member = fc.constantFrom(
      'status',
      'output',
      'result',
      'objects',
      'artifact',
      'error',
      'call',
      'code',
      'limit',
    );
    const nearly = fc
      .dictionary(member, fc.oneof(fc.constantFrom('success', 'ignored', 3, true), fc.jsonValue()))
      .map((end) => JSON.stringify(end.status === undefined ? end : { result: end }));
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (text) => {
        const outcome = readEnd(text, step);
        expect(['success', 'ignored', 'failure']).toContain(outcome.status);
        expect(Object.values(outcome.objects).every((value) => typeof value === 'string')).toBe(true);
      }),
    );
  });
});
