import { describe, expect, it } from 'vitest';
import { DELETABLE } from '../../model/kube-names.ts';
import type { ObjectTarget } from '../../model/targets.ts';
import { failureOf, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const CLUSTERED = ['namespaces', 'clusterroles'];

function object(resource: string, name = 'web'): ObjectTarget {
  return { kind: 'object', resource, name, namespace: CLUSTERED.includes(resource) ? '' : 'shop' };
}
function lineOf(resource: string, name = 'web'): string {
  const group = DELETABLE[resource];
  const base = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const namespace = CLUSTERED.includes(resource) ? '' : '/namespaces/shop';
  return `DELETE ${base}${namespace}/${resource}/${name}`;
}
const remove = (target: ObjectTarget) => recorded.kube.adapters['objects.delete'](target, signal);
const uid = (target: ObjectTarget) => recorded.kube.adapters['objects.uid'](target, signal);
const done = { status: 200, body: { kind: 'Status', status: 'Success', details: { name: 'web', uid: 'u-1' } } };

describe('objects.delete', () => {
  it.each(Object.keys(DELETABLE))(
    'is one request for the very one of %s, in the manner of the server',
    async (resource) => {
      recorded.api.answers.set(lineOf(resource), done);
      await remove({ ...object(resource), uid: 'u-1' });
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u-1' } };
      expect(recorded.api.seen).toMatchObject([{ line: lineOf(resource), type: 'application/json', body }]);
      expect(recorded.api.seen[0]?.body).toEqual(body);
    },
  );

  it.each([
    ['a status', done],
    ['the object', { status: 200, body: { kind: 'Service', metadata: { name: 'web', uid: 'u-1' } } }],
  ])('learns from %s which object it is, and deletes nothing for that', async (_, answer) => {
    recorded.api.answers.set(`${lineOf('services')}?dryRun=All`, answer);
    expect(await uid(object('services'))).toBe('u-1');
    expect(recorded.api.seen).toMatchObject([{ line: `${lineOf('services')}?dryRun=All`, body: { dryRun: ['All'] } }]);
    recorded.api.answers.set(lineOf('services'), done);
    await remove(object('services'));
    expect(recorded.api.seen.at(-1)).toMatchObject({ body: { preconditions: { uid: 'u-1' } } });
  });

  it('leaves an object alone whose UID nobody tells, or that came after the one that is meant', async () => {
    recorded.api.answers.set(`${lineOf('services')}?dryRun=All`, { status: 200, body: { kind: 'Status' } });
    expect(await failureOf(remove(object('services')))).toMatchObject({ code: 'refused' });
    expect(recorded.api.seen).toHaveLength(1);
    const words = 'Precondition failed: UID in precondition: u-1, UID in object meta: u-2';
    recorded.api.answers.set(lineOf('services'), statusOf(409, 'Conflict', words));
    expect(await failureOf(remove({ ...object('services'), uid: 'u-1' }))).toMatchObject({
      code: 'refused',
      message: words,
      replaced: true,
    });
  });

  it.each(['roles', 'clusterroles'])('keeps a name of %s in its place in the path', async (resource) => {
    await failureOf(remove({ ...object(resource, 'system:a?b#c d'), uid: 'u-1' }));
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([lineOf(resource, 'system%3Aa%3Fb%23c%20d')]);
  });

  it.each([
    ['namespaces', "the namespace 'web' doesn't exist"],
    ['clusterroles', "the clusterrole 'web' in the namespace '' doesn't exist"],
    ['secrets', "the secret 'web' in the namespace 'shop' doesn't exist"],
    ['statefulsets', "the statefulset 'web' in the namespace 'shop' doesn't exist"],
  ])('says that there is no such object in %s', async (resource, message) => {
    for (const asked of [
      remove(object(resource)),
      uid(object(resource)),
      remove({ ...object(resource), uid: 'u-1' }),
    ]) {
      expect(await failureOf(asked)).toMatchObject({ code: 'not-found', message });
    }
  });

  it.each<[string, Answer, object]>([
    [
      'missing rights',
      statusOf(403, 'Forbidden', 'secrets "web" is forbidden'),
      { code: 'refused', message: 'secrets "web" is forbidden' },
    ],
    ['a page that nobody knows', { status: 404, body: 'not here' }, { code: 'refused' }],
    ['a conflict', statusOf(409, 'Conflict', 'changed'), { code: 'conflict' }],
    ['a busy server', statusOf(500, 'InternalError', 'etcd'), { code: 'busy' }],
    ['a broken connection', 'hang up', { code: 'unreachable' }],
  ])('tells %s from an object that is not there', async (_, answer, failure) => {
    recorded.api.answers.set(lineOf('secrets'), answer);
    expect(await failureOf(remove({ ...object('secrets'), uid: 'u-1' }))).toMatchObject(failure);
  });

  it('deletes no other kind', async () => {
    expect(await failureOf(remove(object('pods')))).toMatchObject({ code: 'door' });
    expect(recorded.api.seen).toEqual([]);
  });
});
