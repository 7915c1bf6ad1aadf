import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { countVerbs } from './cluster/audit-log.ts';
import { NODES } from './cluster/control-plane.ts';
import { useCluster } from './cluster/use-cluster.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** More than a label could hold. */
const LONG = 'x'.repeat(200_000);

const RULES = `
- rule: Note
  match: {rules: [set]}
  actions:
    - action: Note the incident
      actionner: kubernetes:annotation
      parameters:
        annotations: {example.org/incident: "under investigation: see {}\\n", long: "${LONG}"}
- rule: Forget
  match: {rules: [change]}
  actions:
    - action: Change the annotations
      actionner: kubernetes:annotation
      parameters:
        annotations: {example.org/incident: "", absent: "", seen: 2}
- rule: Note on the node
  match: {rules: [node]}
  actions:
    - action: Note on the node
      actionner: kubernetes:annotation
      parameters:
        level: node
        annotations: {example.org/incident: "7"}
- rule: Too much
  match: {rules: [too much]}
  actions:
    - action: Note too much
      actionner: kubernetes:annotation
      parameters:
        annotations: {a: "${LONG}", b: "${LONG}"}
`;

describe('kubernetes:annotation', () => {
  const cluster = useCluster();
  let talon: Talon;

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
  });
  afterAll(() => talon?.stop());

  const annotationsAt = async (path: string) =>
    (await cluster.api.find(path))?.metadata as { readonly annotations?: Readonly<Record<string, string>> };

  it('sets annotations, of any length, and changes and removes them, with one request each', async () => {
    const namespace = await cluster.namespace('annotation');
    await namespace.pod('web', { labels: { app: 'web' } });
    expect(await talon.result(podAlert('set', namespace.name, 'web'))).toMatchObject({
      status: 'success',
      output: `the pod 'web' in the namespace '${namespace.name}' has been annotated`,
      pod: 'web',
      namespace: namespace.name,
    });
    const { annotations } = await annotationsAt(namespace.pods('web'));
    expect(annotations).toEqual({ 'example.org/incident': 'under investigation: see {}\n', long: LONG });
    expect((await talon.result(podAlert('change', namespace.name, 'web'))).status).toBe('success');
    expect((await annotationsAt(namespace.pods('web'))).annotations).toEqual({ long: LONG, seen: '2' });
    expect(await namespace.labels('web')).toEqual({ app: 'web' });
    expect(countVerbs(namespace.audit())).toEqual({ patch: 2 });
  });

  it('annotates the node of the pod', async () => {
    const namespace = await cluster.namespace('annotation-node');
    await namespace.pod('web');
    expect(await talon.result(podAlert('node', namespace.name, 'web'))).toMatchObject({
      status: 'success',
      output: `the node '${NODES[0]}' has been annotationed`,
      node: NODES[0],
    });
    const { annotations } = await annotationsAt(`/api/v1/nodes/${NODES[0]}`);
    expect(annotations).toMatchObject({ 'example.org/incident': '7' });
    expect((await annotationsAt(namespace.pods('web'))).annotations).toBeUndefined();
  });

  it('says in the words of the API server that it is too much, and that there is no such pod', async () => {
    const namespace = await cluster.namespace('annotation-refused');
    await namespace.pod('web');
    const refused = await talon.result(podAlert('too much', namespace.name, 'web'));
    expect(refused).toMatchObject({ status: 'failure', error: expect.stringContaining('262144') });
    expect(await talon.result(podAlert('set', namespace.name, 'nobody'))).toMatchObject({
      status: 'failure',
      error: `the pod 'nobody' in the namespace '${namespace.name}' doesn't exist`,
    });
  });
});
