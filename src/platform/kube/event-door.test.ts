import { describe, expect, it } from 'vitest';
import type { KubeEvent } from '../../model/capability.ts';
import type { SubjectTarget } from '../../model/targets.ts';
import { failureOf, READ, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const CREATE = 'POST /api/v1/namespaces/shop/events';
const IN_DEFAULT = 'POST /api/v1/namespaces/default/events';
const CREATED = { status: 201, body: {} };
const POD: SubjectTarget = { kind: 'subject', of: 'Pod', name: 'web', namespace: 'shop' };
const EVENT: KubeEvent = {
  type: 'Normal',
  reason: 'falco-talon:action:kubernetes:label:success',
  action: 'kubernetes:label',
  message: 'Status: success\nTraceID: 0af7\n',
};

const create = (subject: SubjectTarget) => recorded.kube.adapters['events.create'](subject, EVENT, signal);
const lines = () => recorded.api.seen.map(({ line }) => line);
const involved = () => (recorded.api.seen.at(-1)?.body as { involvedObject?: unknown } | undefined)?.involvedObject;

describe('events.create', () => {
  it('creates an event on the pod, with its UID', async () => {
    recorded.api.answers.set(READ, { status: 200, body: { metadata: { name: 'web', uid: 'uid-1' } } });
    recorded.api.answers.set(CREATE, CREATED);
    await create(POD);
    expect(lines()).toEqual([READ, CREATE]);
    expect(recorded.api.seen[1]).toMatchObject({ type: 'application/json' });
    expect(recorded.api.seen[1]?.body).toEqual({
      metadata: { generateName: 'falco-talon-' },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-1' },
      reason: 'falco-talon:action:kubernetes:label:success',
      message: 'Status: success\nTraceID: 0af7\n',
      source: { component: 'falco-talon' },
      type: 'Normal',
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      action: 'kubernetes:label',
      reportingComponent: 'falcosecurity.org/falco-talon',
      reportingInstance: 'falco-talon',
    });
  });

  it.each<[string, Answer]>([
    ['is gone', statusOf(404, 'NotFound', 'pods "web" not found')],
    ['may not be looked up', statusOf(403, 'Forbidden', 'no')],
  ])('does without the UID of a pod that %s', async (_, answer) => {
    recorded.api.answers.set(READ, answer);
    recorded.api.answers.set(CREATE, CREATED);
    await create(POD);
    expect(involved()).toEqual({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' });
  });

  it.each<[string, Answer]>([
    ['does not exist', statusOf(404, 'NotFound', 'namespaces "shop" not found')],
    [
      'ends',
      statusOf(403, 'Forbidden', 'unable to create new content in namespace shop because it is being terminated'),
    ],
  ])('takes the default namespace for one that %s', async (_, answer) => {
    recorded.api.answers.set(CREATE, answer);
    recorded.api.answers.set(IN_DEFAULT, CREATED);
    await create(POD);
    expect(lines()).toEqual([READ, CREATE, IN_DEFAULT]);
    expect(involved()).toEqual({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web' });
  });

  it.each([
    { ...POD, name: '', namespace: '' },
    { ...POD, name: '../../x', namespace: '../y' },
    { ...POD, name: '\u202e\0', namespace: 'x'.repeat(100) },
  ])('is about no pod in particular for %j', async (subject) => {
    recorded.api.answers.set(IN_DEFAULT, CREATED);
    await create(subject);
    expect(lines()).toEqual([IN_DEFAULT]);
    expect(involved()).toEqual({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: '' });
  });

  it('is in the default namespace for a node, under the UID that kubelets use', async () => {
    recorded.api.answers.set(IN_DEFAULT, CREATED);
    await create({ kind: 'subject', of: 'Node', name: 'node-1', namespace: '' });
    expect(lines()).toEqual([IN_DEFAULT]);
    expect(involved()).toEqual({ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-1' });
  });

  it.each<[string, Answer, object]>([
    [
      'missing rights',
      statusOf(403, 'Forbidden', 'events is forbidden'),
      { code: 'refused', message: 'events is forbidden' },
    ],
    ['a busy server', statusOf(429, 'TooManyRequests', 'later'), { code: 'busy' }],
    [
      'an invalid event',
      statusOf(422, 'Invalid', 'reason: too long'),
      { code: 'refused', message: 'reason: too long' },
    ],
    ['a broken connection', 'hang up', { code: 'unreachable' }],
  ])('fails for %s', async (_, answer, expected) => {
    for (const line of [CREATE, IN_DEFAULT]) recorded.api.answers.set(line, answer);
    expect(await failureOf(create(POD))).toMatchObject(expected);
  });
});
