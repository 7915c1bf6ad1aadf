import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { WorkloadRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { POD, runNoted } from '../../runtime/plugins/action-fixture.ts';
import { networkpolicy } from './networkpolicy.ts';

const WORKLOAD: WorkloadRef = { kind: 'workload', ref: 1, name: 'web', namespace: 'shop' };

const run = (
  parameters: ParameterMap,
  change: 'created' | 'updated' = 'created',
  workload: WorkloadRef | null = WORKLOAD,
) =>
  runNoted(networkpolicy, {
    parameters,
    answers: { 'pods.workload': workload, 'networkpolicies.apply': { name: 'web-falco-talon', change } },
  });

describe('kubernetes:networkpolicy', () => {
  it.each<[ParameterMap, object[]]>([
    [{}, []],
    [{ allow_cidr: [], allow_namespaces: [] }, []],
    [{ allow_cidr: null }, []],
    [
      { allow_namespaces: ['green', 'blue'], ALLOW_CIDR: ['10.0.0.0/8', '::/0'] },
      [{ cidr: '10.0.0.0/8' }, { cidr: '::/0' }, { namespace: 'green' }, { namespace: 'blue' }],
    ],
  ])('lets the workload connect to those of %j', async (given, peers) => {
    const { calls } = await run(given);
    expect(calls).toEqual([
      ['pods.workload', POD],
      ['networkpolicies.apply', WORKLOAD, peers],
    ]);
  });

  it.each(['created', 'updated'] as const)('says that the policy has been %s', async (change) => {
    expect((await run({}, change)).result).toEqual({
      status: 'success',
      output: `the networkpolicy 'web-falco-talon' in the namespace 'shop' has been ${change}`,
      objects: { pod: 'web', namespace: 'shop', networkpolicy: 'web-falco-talon' },
    });
  });

  it('fails where the pod belongs to nothing that can be selected', async () => {
    await expect(run({}, 'created', null)).rejects.toMatchObject({
      code: 'refused',
      message: "can't find the owner and/or labels for the pod 'web' in namespace 'shop'",
      objects: { pod: 'web', namespace: 'shop' },
    });
  });

  it.each<[ParameterMap, string]>([
    [{ allow_cidr: ['10.0.0.0/8', '10.0.0.0'] }, "wrong CIDR '10.0.0.0'"],
    [{ allow_namespaces: ["x' }"] }, "wrong namespace 'x' }'"],
    [{ allow_namespaces: ['ok', 'Upper'] }, "wrong namespace 'Upper'"],
    [{ allow_namespaces: [null] }, "wrong namespace ''"],
    [{ allow_cidr: '10.0.0.0/8' }, "parameter 'allow_cidr' must be a list, got a string"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(networkpolicy.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
