import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AllowedPeers, NetworkPeer } from '../../../model/capability.ts';
import { failureOf, signal, useRecordedKube } from '../recorded-kube.ts';
import { statusOf } from '../recording-api.ts';
import { CILIUM, ciliumDenial } from './cilium-policy.ts';
import { editPolicy, rulesIn } from './network-policy.ts';
import { RecordedPolicies, updated, workload } from './recorded-policies.ts';

const recorded = useRecordedKube();
let policies: RecordedPolicies;

const isolate = (peers: readonly NetworkPeer[] = []) =>
  recorded.kube.adapters['networkpolicies.apply'](workload, peers, signal);
const cilium = (ip: string, allowed: AllowedPeers = {}) =>
  recorded.kube.adapters['cilium.deny'](workload, ip, allowed, signal);

describe('a policy of the same name', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'cilium.io/v2', 'ciliumnetworkpolicies');
  });

  it('that is somebody else’s stays as it is, and ours gets another name', async () => {
    const foreign = { metadata: { name: 'web', labels: { app: 'web' } }, spec: { egress: [{}] } };
    policies.put(foreign);
    expect(await cilium('203.0.113.7')).toEqual({ name: 'web-falco-talon', change: 'created' });
    expect(await cilium('203.0.113.8')).toEqual({ name: 'web-falco-talon', change: 'updated' });
    expect(policies.policy('web')).toMatchObject(foreign);
    expect(policies.policy('web-falco-talon')?.spec).toMatchObject({
      egressDeny: [{ toCIDR: ['203.0.113.7/32', '203.0.113.8/32'] }],
    });
  });

  it('and one of the other name: nothing is touched', async () => {
    policies.put({ metadata: { name: 'web' } });
    policies.put({ metadata: { name: 'web-falco-talon', labels: { 'app.k8s.io/managed-by': 'somebody' } } });
    expect(await failureOf(cilium('203.0.113.7'))).toMatchObject({
      code: 'refused',
      message:
        "the ciliumnetworkpolicy 'web' in the namespace 'shop' and the ciliumnetworkpolicy 'web-falco-talon' in the namespace 'shop' are not managed by falco-talon",
    });
    expect([policies.count('POST'), policies.count('PUT')]).toEqual([0, 0]);
  });
});

describe('somebody who writes at the same time', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'cilium.io/v2', 'ciliumnetworkpolicies');
  });

  /** Lets another server deny an address before each of the next writes. */
  function interfere(times: number) {
    const rest = Array.from({ length: times }, (_, index) => `198.51.100.${index}/32`);
    policies.interfere = () => {
      const network = rest.shift();
      if (network === undefined) return;
      const edit = ciliumDenial(workload.labels, { network, reachable: { cidrs: ['0.0.0.0/0'], namespaces: [] } });
      policies.put(editPolicy(CILIUM, workload, 'web', policies.stored.get('web'), edit));
    };
  }
  const denied = () => rulesIn(policies.policy()?.spec?.egressDeny)[0]?.toCIDR;

  it('loses nothing and makes us lose nothing, when the policy is made and when it is changed', async () => {
    interfere(1);
    expect(await cilium('203.0.113.7')).toEqual(updated);
    expect(denied()).toEqual(['198.51.100.0/32', '203.0.113.7/32']);
    interfere(4);
    expect(await cilium('203.0.113.8')).toEqual(updated);
    expect(denied()).toHaveLength(6);
    expect(denied()).toContain('203.0.113.8/32');
  });

  it('makes it fail after five tries, in a way that is tried again', async () => {
    interfere(9);
    expect(await failureOf(cilium('203.0.113.7'))).toMatchObject({
      code: 'conflict',
      message: '"web" has been modified',
    });
    expect(policies.count('GET')).toBe(5);
  });

  it('is not waited for when the step is over', async () => {
    interfere(9);
    const step = new AbortController();
    // It is asked how long to wait; the step is over when the wait has begun.
    const chance = vi.spyOn(Math, 'random').mockImplementation(() => {
      if (policies.count('GET') === 2) queueMicrotask(() => step.abort());
      return 0;
    });
    const ended = recorded.kube.adapters['cilium.deny'](workload, '203.0.113.7', {}, step.signal);
    expect(await failureOf(ended)).toMatchObject({ name: 'AbortError' });
    chance.mockRestore();
    expect(policies.count('GET')).toBe(2);
    expect(denied()).not.toContain('203.0.113.7/32');
  });
});

describe('an API server that refuses', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'networking.k8s.io/v1', 'networkpolicies');
  });
  const GET = 'GET /apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/web';
  const POST =
    'POST /apis/networking.k8s.io/v1/namespaces/shop/networkpolicies?fieldManager=falco-talon&fieldValidation=Strict';

  it.each([
    ['to show', GET, statusOf(403, 'Forbidden', 'no rights'), { code: 'refused', message: 'no rights' }],
    ['for a while', GET, statusOf(429, 'TooManyRequests', 'slow'), { code: 'busy' }],
    ['with an error', GET, statusOf(500, 'InternalError', 'oh'), { code: 'busy' }],
    ['without an answer', GET, 'hang up' as const, { code: 'unreachable' }],
    ['what it is given', POST, statusOf(422, 'Invalid', 'wrong field'), { code: 'refused', message: 'wrong field' }],
    ['to write', POST, statusOf(403, 'Forbidden', 'no rights'), { code: 'refused', message: 'no rights' }],
  ])('%s makes it fail at once', async (_, line, answer, failure) => {
    recorded.api.answers.set(line, answer);
    expect(await failureOf(isolate())).toMatchObject(failure);
    expect(policies.count('GET')).toBe(1);
    expect(policies.stored.size).toBe(0);
  });
});
