import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { oneOf, textMap } from '../../model/parameters.ts';

/** Sets or removes annotations of the alert's pod, or of the node that it runs on. */
export const annotation = defineActionner({
  id: 'kubernetes:annotation',
  description: 'Add, change or remove annotations of the pod, or of the node that it runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    annotations: textMap('annotations to set; an empty value removes the annotation', 'annotation'),
    level: oneOf('what gets the annotations', ['pod', 'node'], 'pod'),
  }),
  example: `- action: Note the incident
  actionner: kubernetes:annotation
  parameters:
    level: pod
    annotations:
      example.org/incident: under investigation
`,
});
