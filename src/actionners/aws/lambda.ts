import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { oneOf, requiredText, text } from '../../model/parameters.ts';

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
    aws_lambda_alias_or_version: text('alias or version to invoke', { fallback: '$LATEST' }),
    aws_lambda_invocation_type: oneOf(
      'whether to wait for the answer, to leave the function to itself, or only to check that it could be invoked',
      ['RequestResponse', 'Event', 'DryRun'],
      'RequestResponse',
    ),
  }),
  example: `- action: Invoke the function
  actionner: aws:lambda
  parameters:
    aws_lambda_name: triage
    aws_lambda_alias_or_version: $LATEST
    aws_lambda_invocation_type: RequestResponse
`,
});
