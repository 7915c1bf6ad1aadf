import * as z from 'zod';
import { defineActionner, targetOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { integer, requiredText, text, textList } from '../../model/parameters.ts';
import type { FunctionRef } from '../../model/references.ts';

/** Calls a Cloud Run function with the alert as body. */
export const cloudFunction = defineActionner({
  id: 'gcp:function',
  description: 'Call a Google Cloud function with the alert as body',
  sources: ['any'],
  continue: true,
  usesContext: true,
  artifact: 'none',
  requires: [],
  parameters: z.object({
    gcp_function_name: requiredText('name of the function'),
    gcp_function_location: text('region of the function', { fallback: 'us-central1' }),
    gcp_function_timeout: integer('seconds to wait for the answer; 0 leaves it to the time limit of the action'),
    payload_fields: textList(
      'output fields that the function is told of, and no text of the alert; everything when left out',
    ),
  }),
  example: `- action: Call the function
  actionner: gcp:function
  parameters:
    gcp_function_name: triage
    gcp_function_location: us-central1
    gcp_function_timeout: 10
`,
  behaviour: {
    idempotent: false,
    uses: ['functions.call'],
    deadline: 60,
    lasts: ({ gcp_function_timeout }) => gcp_function_timeout,
    writes: () => [],
    reach: ({ gcp_function_name: name, gcp_function_location: location, payload_fields: fields }) => ({
      called: { name, location, fields },
    }),
    async run({ parameters: { gcp_function_location: location, gcp_function_timeout: timeout }, targets, use }) {
      const called = targetOf<'called', FunctionRef>(targets, 'called');
      const { status, body } = await use['functions.call'](called, timeout);
      if (status < 200 || status > 299) {
        throw new DoorError('refused', `function invocation failed with status ${status}: ${body}`);
      }
      const objects = { name: called.name, location, function_response_status: String(status) };
      return { status: 'success', output: body, objects };
    },
  },
});
