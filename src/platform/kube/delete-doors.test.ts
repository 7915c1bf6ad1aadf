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

describe('objects.delete', () => {
  it.each(Object.keys(DELETABLE))('is one request for %s, which leaves the manner to the server', async (resource) => {
    recorded.api.answers.set(lineOf(resource), { status: 200, body: { kind: 'Status', status: 'Success' } });
    await remove(object(resource));
    expect(recorded.api.seen).toMatchObject([{ line: lineOf(resource), body: undefined }]);
  });

  it.each(['roles', 'clusterroles'])('keeps a name of %s in its place in the path', async (resource) => {
    await failureOf(remove(object(resource, 'system:a?b#c d')));
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([lineOf(resource, 'system%3Aa%3Fb%23c%20d')]);
  });

  it.each([
    ['namespaces', "the namespace 'web' doesn't exist"],
    ['clusterroles', "the clusterrole 'web' in the namespace '' doesn't exist"],
    ['secrets', "the secret 'web' in the namespace 'shop' doesn't exist"],
    ['statefulsets', "the statefulset 'web' in the namespace 'shop' doesn't exist"],
  ])('says that there is no such object in %s', async (resource, message) => {
    recorded.api.answers.set(lineOf(resource), statusOf(404, 'NotFound', 'not found'));
    expect(await failureOf(remove(object(resource)))).toMatchObject({ code: 'not-found', message });
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
    expect(await failureOf(remove(object('secrets')))).toMatchObject(failure);
  });

  it('deletes no other kind', async () => {
    expect(await failureOf(remove(object('pods')))).toMatchObject({ code: 'door' });
    expect(recorded.api.seen).toEqual([]);
  });
});
