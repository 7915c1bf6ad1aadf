import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './cluster/kube-api.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { TALON } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const PODS = '/api/v1/namespaces/talon-demo/pods';
const COLLECTIONS: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  StatefulSet: '/apis/apps/v1/namespaces/talon-demo/statefulsets',
};

const cluster = useCluster();

it('`talon demo` acts on the cluster of KUBECONFIG', async () => {
  const manifest = readFileSync(path.join(import.meta.dirname, '../rules/demo/pods.yaml'), 'utf8');
  for (const object of parseAllDocuments(manifest).map(
    (document) => document.toJS() as KubeObject & { kind: string },
  )) {
    await cluster.api.must('POST', COLLECTIONS[object.kind]!, object);
  }
  await waitUntil('the pods of the demo', async () => (await cluster.api.list(PODS)).length === 3);

  const scratch = makeScratch();
  try {
    const kubeconfig = path.join(scratch, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.kubeconfig());
    const [program = '', ...words] = TALON;
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    const { stdout } = await promisify(execFile)(program, [...words, 'demo'], { env });
    expect(stdout).toContain('It acts on the cluster of the context `e2e`.');
    expect(stdout).toContain("outcome  success: the pod 'web-0' in the namespace 'talon-demo' has been terminated\n");
    expect(stdout).toMatch(/\n6 alerts, 5 with matching rules, 7 actions: 6 succeeded, 1 as dry run\n$/);
  } finally {
    removeScratch(scratch);
  }
  const cart = await cluster.api.find(`${PODS}/cart-0`);
  expect(cart?.metadata.labels).toMatchObject({ suspicious: 'true', 'suspicious-reason': 'credentials' });
});
