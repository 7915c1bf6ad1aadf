import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { PodRef, WorkloadRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { networkpolicy } from './networkpolicy.ts';

const POD: PodRef = { kind: 'pod', ref: 0, name: 'web-1', namespace: 'shop' };
const WORKLOAD: WorkloadRef = { kind: 'workload', ref: 1, name: 'web', namespace: 'shop' };

interface Given {
  readonly parameters?: ParameterMap;
  readonly fields?: object;
  readonly change?: 'created' | 'updated';
  readonly workload?: WorkloadRef | null;
}

/** Runs the actionner on doors that note their calls. */
async function run({ parameters = {}, fields, change = 'created', workload = WORKLOAD }: Given) {
  const calls: unknown[][] = [];
  const decoded = decodeParameters(networkpolicy.parameters, parameters);
  const output_fields = fields ?? { 'fd.rip': '203.0.113.7', 'fd.sip': '203.0.113.8' };
  const decodedEvent = decodeEvent(Buffer.from(JSON.stringify({ output_fields })));
  if (!decoded.ok || !decodedEvent.ok) throw new Error('the test is wrong');
  const result = await networkpolicy.behaviour?.run({
    event: decodedEvent.event,
    parameters: decoded.value,
    targets: { pod: POD },
    keeps: false,
    use: {
      'pods.workload': async () => workload,
      'calico.deny': async (...call) => {
        calls.push(call);
        return { name: 'web', change };
      },
    },
    sleep: async () => {},
  });
  return { calls, result };
}

describe('calico:networkpolicy', () => {
  it.each<[ParameterMap, unknown[]]>([
    [{}, [{}, 0]],
    [{ allow_cidr: null }, [{}, 0]],
    [{ allow_cidr: [] }, [{ cidrs: [] }, 0]],
    [{ allow_namespaces: ['blue'] }, [{ namespaces: ['blue'] }, 0]],
    [{ allow_cidr: ['10.0.0.0/8'], allow_namespaces: [], order: 20 }, [{ cidrs: ['10.0.0.0/8'], namespaces: [] }, 20]],
  ])('passes on %j: what is left out is not what is empty', async (parameters, passed) => {
    const { calls } = await run({ parameters });
    expect(calls).toEqual([[WORKLOAD, '203.0.113.7', ...passed]]);
  });

  it.each([
    [{ 'fd.rip': '203.0.113.7', 'fd.sip': '203.0.113.8' }, '203.0.113.7'],
    [{ 'fd.rip': null, 'fd.sip': '203.0.113.8' }, '203.0.113.8'],
    [{ 'fd.sip': '2001:db8::1' }, '2001:db8::1'],
  ])('takes the address of %j', async (fields, ip) => {
    expect((await run({ fields })).calls[0]?.[1]).toBe(ip);
  });

  it.each([
    ['created', {}],
    ['updated', { caliconetworpolicy: 'web' }],
  ] as const)('says that the policy has been %s', async (change, objects) => {
    expect((await run({ change })).result).toEqual({
      status: 'success',
      output: `the caliconetworkpolicy 'web' in the namespace 'shop' has been ${change}`,
      objects: { pod: 'web-1', namespace: 'shop', ...objects },
    });
  });

  it('fails where the pod belongs to nothing that can be selected', async () => {
    await expect(run({ workload: null })).rejects.toMatchObject({
      code: 'refused',
      message: "can't find the owner and/or labels for the pod 'web-1' in the namespace 'shop'",
    });
  });

  it.each<[ParameterMap, string]>([
    [{ allow_cidr: ['10.0.0.0'] }, "wrong CIDR '10.0.0.0'"],
    [{ allow_namespaces: ["x' }"] }, "wrong namespace 'x' }'"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(networkpolicy.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
