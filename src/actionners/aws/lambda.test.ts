import { describe, expect, it } from 'vitest';
import type { Invoked } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { FunctionRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { lambda } from './lambda.ts';

const CALLED: FunctionRef = { kind: 'function', ref: 0, name: 'triage' };

async function invoke(given: ParameterMap, answer: Invoked) {
  const calls: unknown[][] = [];
  const decoded = decodeParameters(lambda.parameters, { aws_lambda_name: 'triage', ...given });
  const alert = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !alert.ok) throw new Error('the test is wrong');
  const result = await lambda.behaviour?.run({
    ...{ event: alert.event, parameters: decoded.value, targets: { called: CALLED }, keeps: false },
    use: {
      'lambda.invoke': async (...call) => {
        calls.push(call);
        return answer;
      },
    },
    sleep: async () => {},
  });
  return { reach: lambda.behaviour?.reach?.(decoded.value), calls, result };
}

describe('aws:lambda', () => {
  it.each<[ParameterMap, object, object]>([
    [{}, { qualifier: '$LATEST', type: 'RequestResponse' }, { name: 'triage' }],
    [{ aws_lambda_alias_or_version: '' }, { qualifier: '$LATEST', type: 'RequestResponse' }, { name: 'triage' }],
    [
      { aws_lambda_alias_or_version: '$LATEST' },
      { qualifier: '$LATEST', type: 'RequestResponse' },
      { name: 'triage', version: '$LATEST' },
    ],
    [
      { aws_lambda_alias_or_version: 'prod', aws_lambda_invocation_type: 'Event' },
      { qualifier: 'prod', type: 'Event' },
      { name: 'triage', version: 'prod' },
    ],
    [{ aws_lambda_invocation_type: 'DryRun' }, { qualifier: '$LATEST', type: 'DryRun' }, { name: 'triage' }],
  ])('calls the function with %j', async (given, how, objects) => {
    const { reach, calls, result } = await invoke(given, { status: 200, body: '{"ok":true}' });
    expect(reach).toEqual({ called: { name: 'triage', location: '' } });
    expect(calls).toEqual([[CALLED, how]]);
    expect(result).toEqual({ status: 'success', output: '{"ok":true}', objects });
  });

  it.each([200, 202, 204])('takes status %i', async (status) => {
    expect((await invoke({}, { status, body: '' })).result).toMatchObject({ status: 'success', output: '' });
  });

  it('fails with a function that fails', async () => {
    const answer = { status: 200, body: '{"errorMessage":"boom"}', error: 'Unhandled' };
    await expect(invoke({}, answer)).rejects.toMatchObject({
      code: 'refused',
      message: 'the function failed (Unhandled): {"errorMessage":"boom"}',
    });
  });

  it('fails with any other status', async () => {
    await expect(invoke({}, { status: 500, body: 'x' })).rejects.toMatchObject({ code: 'refused' });
  });

  it.each<[ParameterMap, string]>([
    [{}, "missing parameter 'aws_lambda_name'"],
    [{ aws_lambda_name: '' }, "missing parameter 'aws_lambda_name'"],
    [
      { aws_lambda_name: 'f', aws_lambda_invocation_type: 'event' },
      "parameter 'aws_lambda_invocation_type' must be 'RequestResponse' or 'Event' or 'DryRun'",
    ],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(lambda.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
