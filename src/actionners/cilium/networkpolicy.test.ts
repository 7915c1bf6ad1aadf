import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { WorkloadRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { runNoted } from '../../runtime/plugins/action-fixture.ts';
import { networkpolicy } from './networkpolicy.ts';

const WORKLOAD: WorkloadRef = { kind: 'workload', ref: 1, name: 'web', namespace: 'shop' };

interface Given {
  readonly parameters?: ParameterMap;
  readonly fields?: object;
  readonly change?: 'created' | 'updated';
  readonly workload?: WorkloadRef | null;
}

/** What was asked of the door to policies, and what came of it. */
async function run({ parameters = {}, fields, change = 'created', workload = WORKLOAD }: Given) {
  const { calls, result } = await runNoted(networkpolicy, {
    parameters,
    fields: fields ?? { 'fd.rip': '203.0.113.7', 'fd.sip': '203.0.113.8' },
    answers: { 'pods.workload': workload, 'cilium.deny': { name: 'web', change } },
  });
  return { calls: calls.filter(([door]) => door === 'cilium.deny').map(([, ...given]) => given), result };
}

describe('cilium:networkpolicy', () => {
  it.each<[ParameterMap, unknown[]]>([
    [{}, [{}]],
    [{ allow_cidr: null }, [{}]],
    [{ allow_cidr: [] }, [{ cidrs: [] }]],
    [{ allow_namespaces: ['blue'] }, [{ namespaces: ['blue'] }]],
    [{ allow_cidr: ['10.0.0.0/8'], allow_namespaces: [] }, [{ cidrs: ['10.0.0.0/8'], namespaces: [] }]],
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
    ['updated', { NetworkPolicy: 'web' }],
  ] as const)('says that the policy has been %s', async (change, objects) => {
    expect((await run({ change })).result).toEqual({
      status: 'success',
      output: `the ciliumnetworkpolicy 'web' in the namespace 'shop' has been ${change}`,
      objects: { pod: 'web', namespace: 'shop', ...objects },
    });
  });

  it('fails where the pod belongs to nothing that can be selected', async () => {
    await expect(run({ workload: null })).rejects.toMatchObject({
      code: 'refused',
      message: "can't find the owner and/or labels for the pod 'web' in the namespace 'shop'",
      objects: { pod: 'web', namespace: 'shop' },
    });
  });

  it.each<[ParameterMap, string]>([
    [{ allow_cidr: ['10.0.0.0'] }, "wrong CIDR '10.0.0.0'"],
    [{ allow_namespaces: ["x' }"] }, "wrong namespace 'x' }'"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(networkpolicy.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
