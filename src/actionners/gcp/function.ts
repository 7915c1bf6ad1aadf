import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { integer, requiredText, text } from '../../model/parameters.ts';

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
  }),
  example: `- action: Call the function
  actionner: gcp:function
  parameters:
    gcp_function_name: triage
    gcp_function_location: us-central1
    gcp_function_timeout: 10
`,
});
