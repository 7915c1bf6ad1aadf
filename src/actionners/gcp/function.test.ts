import { describe, expect, it } from 'vitest';
import type { Invoked } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { FunctionRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { cloudFunction } from './function.ts';

const CALLED: FunctionRef = { kind: 'function', ref: 0, name: 'triage' };

async function call(given: ParameterMap, answer: Invoked) {
  const calls: unknown[][] = [];
  const decoded = decodeParameters(cloudFunction.parameters, { gcp_function_name: 'triage', ...given });
  const alert = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !alert.ok) throw new Error('the test is wrong');
  const { behaviour } = cloudFunction;
  const result = await behaviour?.run({
    ...{ event: alert.event, parameters: decoded.value, targets: { called: CALLED }, keeps: false },
    use: {
      'functions.call': async (...given_) => {
        calls.push(given_);
        return answer;
      },
    },
    sleep: async () => {},
  });
  return { reach: behaviour?.reach?.(decoded.value), lasts: behaviour?.lasts?.(decoded.value), calls, result };
}

describe('gcp:function', () => {
  it('calls the function, and tells what it answered', async () => {
    const given = { gcp_function_location: 'europe-west1', gcp_function_timeout: 10 };
    const { reach, lasts, calls, result } = await call(given, { status: 200, body: 'done' });
    expect(reach).toEqual({ called: { name: 'triage', location: 'europe-west1' } });
    expect(lasts).toBe(10);
    expect(calls).toEqual([[CALLED, 10]]);
    expect(result).toEqual({
      status: 'success',
      output: 'done',
      objects: { name: 'triage', location: 'europe-west1', function_response_status: '200' },
    });
  });

  it.each([200, 201, 202, 204, 299])('takes status %i', async (status) => {
    const { result } = await call({}, { status, body: '' });
    expect(result).toMatchObject({ status: 'success', objects: { function_response_status: String(status) } });
  });

  it.each([302, 404, 500])('fails with status %i', async (status) => {
    await expect(call({}, { status, body: 'why' })).rejects.toMatchObject({
      code: 'refused',
      message: `function invocation failed with status ${status}: why`,
    });
  });

  it('needs a name', () => {
    expect(decodeParameters(cloudFunction.parameters, { gcp_function_location: 'x' })).toMatchObject({
      ok: false,
      problems: [{ message: "missing parameter 'gcp_function_name'" }],
    });
  });
});
