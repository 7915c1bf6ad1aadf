import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';

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
});
