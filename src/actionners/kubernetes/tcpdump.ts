import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { integer, text } from '../../model/parameters.ts';

/** Captures the network traffic of the pod. It goes on to the next action, as Falco Talon's documentation has it. */
export const tcpdump = defineActionner({
  id: 'kubernetes:tcpdump',
  description: 'Capture the network packets of the pod',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    duration: integer('seconds of the capture', { min: 0, fallback: 5 }),
    image: text('image of the ephemeral container, with tcpdump in it', { fallback: 'issif/tcpdump:latest' }),
    snaplen: integer('bytes to keep of each packet; 0 keeps what tcpdump can', {
      min: 0,
      fallback: 4096,
      zeroIsAbsent: false,
    }),
  }),
  example: `- action: Capture the packets
  actionner: kubernetes:tcpdump
  parameters:
    duration: 10
    snaplen: 1024
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: captures
`,
});
