import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { countVerbs, readAudit } from './cluster/audit-log.ts';
import { NODES } from './cluster/control-plane.ts';
import { useCluster } from './cluster/use-cluster.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- rule: Cordon
  match: {rules: [cordon]}
  actions:
    - action: Cordon the node
      actionner: kubernetes:cordon
`;

describe('kubernetes:cordon', () => {
  const cluster = useCluster();
  let talon: Talon;

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
  });
  afterAll(() => talon?.stop());

  const specOf = async (node: string) => (await cluster.api.find(`/api/v1/nodes/${node}`))?.spec ?? {};

  it('cordons the node of the pod and no other, as often as it is asked to', async () => {
    const namespace = await cluster.namespace('cordon');
    const pod = await namespace.pod('web', { node: NODES[1] });
    for (let time = 0; time < 2; time += 1) {
      expect(await talon.result(podAlert('cordon', namespace.name, 'web'))).toMatchObject({
        status: 'success',
        output: `the node '${NODES[1]}' has been cordoned`,
        node: NODES[1],
      });
      expect(await specOf(NODES[1])).toMatchObject({ unschedulable: true });
    }
    expect(await specOf(NODES[0])).not.toHaveProperty('unschedulable');
    expect(await namespace.isGone(pod)).toBe(false);
    expect(countVerbs(namespace.audit())).toEqual({ get: 2 });
    const patches = readAudit(cluster.plane.address.auditLog).filter(
      ({ objectRef }) => objectRef?.resource === 'nodes',
    );
    expect(patches.map(({ verb, objectRef, requestObject }) => [verb, objectRef?.name, requestObject])).toEqual(
      Array.from({ length: 2 }, () => ['patch', NODES[1], { spec: { unschedulable: true } }]),
    );
  });

  it('finds no node of a pod that waits for one, or that is not there', async () => {
    const namespace = await cluster.namespace('cordon-none');
    await namespace.pod('pending', { run: false });
    expect(await talon.result(podAlert('cordon', namespace.name, 'pending'))).toMatchObject({
      status: 'failure',
      error: `the pod 'pending' in the namespace '${namespace.name}' is on no node yet`,
      pod: 'pending',
      namespace: namespace.name,
    });
    expect(await talon.result(podAlert('cordon', namespace.name, 'nobody'))).toMatchObject({
      status: 'failure',
      error: `the pod 'nobody' in the namespace '${namespace.name}' doesn't exist`,
    });
  });
});
