import { expect, it } from 'vitest';
import { DELETABLE } from '../../model/kube-names.ts';
import type { ObjectRef } from '../../model/references.ts';
import { runNoted } from '../../runtime/plugins/action-fixture.ts';
import { deleteObject } from './delete.ts';

it.each(Object.keys(DELETABLE))('deletes an object of %s once, and says so', async (resource) => {
  const namespace = resource === 'namespaces' || resource === 'clusterroles' ? '' : 'shop';
  const object: ObjectRef = { kind: 'object', ref: 0, resource, name: 'web', namespace };
  const where = resource === 'namespaces' ? '' : ` in the namespace '${namespace}'`;
  const run = { targets: { object }, answers: { 'objects.delete': undefined } };
  expect(await runNoted(deleteObject, run)).toEqual({
    calls: [['objects.delete', object]],
    result: {
      status: 'success',
      output: `the ${resource.slice(0, -1)} 'web'${where} has been deleted`,
      objects: { name: 'web', resource, namespace },
    },
  });
});
