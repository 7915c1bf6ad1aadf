import { expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import { DELETABLE } from '../../model/kube-names.ts';
import type { ObjectRef } from '../../model/references.ts';
import { deleteObject } from './delete.ts';

async function runDelete(object: ObjectRef) {
  const calls: unknown[][] = [];
  const decoded = decodeEvent(Buffer.from('null'));
  if (!decoded.ok) throw new Error('the test is wrong');
  const result = await deleteObject.behaviour?.run({
    event: decoded.event,
    parameters: {},
    targets: { object },
    keeps: false,
    use: { 'objects.delete': async (...call) => void calls.push(call) },
    sleep: async () => {},
  });
  return { calls, result };
}

it.each(Object.keys(DELETABLE))('deletes an object of %s once, and says so', async (resource) => {
  const namespace = resource === 'namespaces' || resource === 'clusterroles' ? '' : 'shop';
  const object: ObjectRef = { kind: 'object', ref: 0, resource, name: 'web', namespace };
  const where = resource === 'namespaces' ? '' : ` in the namespace '${namespace}'`;
  expect(await runDelete(object)).toEqual({
    calls: [[object]],
    result: {
      status: 'success',
      output: `the ${resource.slice(0, -1)} 'web'${where} has been deleted`,
      objects: { name: 'web', resource, namespace },
    },
  });
});
