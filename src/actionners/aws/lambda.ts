import * as z from 'zod';
import { defineActionner, targetOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { oneOf, requiredText, text, textList } from '../../model/parameters.ts';
import type { FunctionRef } from '../../model/references.ts';

/** What is invoked where the rule names no version. */
const LATEST = '$LATEST';

/** Invokes a Lambda function with the alert as payload. */
export const lambda = defineActionner({
  id: 'aws:lambda',
  description: 'Invoke an AWS Lambda function with the alert as payload',
  sources: ['any'],
  continue: true,
  usesContext: true,
  artifact: 'none',
  requires: [],
  parameters: z.object({
    aws_lambda_name: requiredText('name or ARN of the function'),
    aws_lambda_alias_or_version: text('alias or version to invoke', { listed: LATEST }),
    aws_lambda_invocation_type: oneOf(
      'whether to wait for the answer, to leave the function to itself, or only to check that it could be invoked',
      ['RequestResponse', 'Event', 'DryRun'],
      'RequestResponse',
    ),
    payload_fields: textList(
      'output fields that the function is told of, and no text of the alert; everything when left out',
    ),
  }),
  example: `- action: Invoke the function
  actionner: aws:lambda
  parameters:
    aws_lambda_name: triage
    aws_lambda_alias_or_version: $LATEST
    aws_lambda_invocation_type: RequestResponse
`,
  behaviour: {
    idempotent: false,
    uses: ['lambda.invoke'],
    deadline: 60,
    writes: () => [],
    reach: ({ aws_lambda_name: name, payload_fields: fields }) => ({ called: { name, location: '', fields } }),
    async run({ parameters, targets, use }) {
      const called = targetOf<'called', FunctionRef>(targets, 'called');
      const { aws_lambda_alias_or_version: version, aws_lambda_invocation_type: type } = parameters;
      const { status, body, error } = await use['lambda.invoke'](called, { qualifier: version || LATEST, type });
      if (error !== undefined) throw new DoorError('refused', `the function failed (${error}): ${body}`);
      if (![200, 202, 204].includes(status)) {
        throw new DoorError('refused', `the function was answered with status ${status}: ${body}`);
      }
      return {
        status: 'success',
        output: body,
        objects: { name: called.name, ...(version && { version }) },
      };
    },
  },
});
