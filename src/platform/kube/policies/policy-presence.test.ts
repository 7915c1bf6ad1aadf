import { describe, expect, it } from 'vitest';
import { DoorError } from '../../../model/door-error.ts';
import { signal, useRecordedKube } from '../recorded-kube.ts';
import { statusOf } from '../recording-api.ts';
import { policyProblem } from './policy-presence.ts';

const used = useRecordedKube();
const api = () => used.api;
const kube = () => used.kube;
const GROUP = 'GET /apis/projectcalico.org/v3';

describe('policyProblem', () => {
  const serve = (...names: string[]) =>
    api().answers.set(GROUP, { status: 200, body: { resources: names.map((name) => ({ name })) } });

  it('finds nothing wrong with what is served, and asks for what comes with an extension alone', async () => {
    serve('networkpolicies', 'tiers');
    expect(await kube().policyProblem('calico.deny', signal)).toBeUndefined();
    expect(await kube().policyProblem('networkpolicies.apply', signal)).toBeUndefined();
    expect(api().seen.map(({ line }) => line)).toEqual([GROUP]);
  });

  it('says what is not served, be it the group or one of its kinds', async () => {
    const calico = 'the API server does not serve networkpolicies.projectcalico.org of version v3, which come with';
    expect(await kube().policyProblem('calico.deny', signal)).toContain(calico);
    serve('tiers');
    expect(await kube().policyProblem('calico.deny', signal)).toContain(calico);
    expect(await kube().policyProblem('cilium.deny', signal)).toContain(
      'ciliumnetworkpolicies.cilium.io of version v2',
    );
  });

  it('says nothing where nobody knows', async () => {
    api().answers.set(GROUP, statusOf(403, 'Forbidden', 'no'));
    expect(await kube().policyProblem('calico.deny', signal)).toBeUndefined();
    const shut = () => {
      throw new DoorError('unreachable', 'wrong k8s client');
    };
    expect(await policyProblem(shut, 'calico.deny', signal)).toBeUndefined();
  });
});
