import * as z from 'zod';
import { defineActionner, targetOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { placedObject } from '../../model/kube-names.ts';
import type { ObjectRef } from '../../model/references.ts';

/** Deletes the object of a Kubernetes audit event. */
export const deleteObject = defineActionner({
  id: 'kubernetes:delete',
  description: 'Delete the object that the audit event is about',
  sources: ['k8s_audit'],
  continue: false,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.targetResource, FIELD_KEYS.targetName, FIELD_KEYS.targetNamespace],
  parameters: z.object({}),
  example: `- action: Delete the suspicious object
  actionner: kubernetes:delete
`,
  behaviour: {
    // Where the answer to a deletion was lost, and the object is gone when it is made again, that was the deletion.
    idempotent: true,
    uses: ['objects.delete'],
    deadline: 60,
    writes: () => ['object'],
    async run({ targets, use }) {
      const object = targetOf<'object', ObjectRef>(targets, 'object');
      await use['objects.delete'](object);
      const { resource, name, namespace } = object;
      const output = `the ${placedObject(object)} has been deleted`;
      return { status: 'success', output, objects: { name, resource, namespace } };
    },
  },
});
