import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { integer, oneOf, text } from '../../model/parameters.ts';

/** Captures the system calls of the pod, or of the whole node that it runs on. */
export const sysdig = defineActionner({
  id: 'kubernetes:sysdig',
  description: 'Capture the system calls of the pod, or of its node',
  sources: ['syscalls', 'k8s_audit'],
  continue: false,
  usesContext: false,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    buffer_size: integer('bytes to keep of each read and write', { min: 128, fallback: 2048 }),
    duration: integer('seconds of the capture', { min: 1, max: 30, fallback: 5 }),
    image: text('image of the capturing job, with sysdig in it', { fallback: 'issif/sysdig:latest' }),
    scope: oneOf('whose system calls to capture', ['pod', 'node'], 'pod'),
  }),
  example: `- action: Capture the system calls
  actionner: kubernetes:sysdig
  parameters:
    duration: 10
    buffer_size: 1024
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: captures
`,
});
