import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeApi } from './kube-api.ts';
import type { TestNamespace } from './test-namespace.ts';
import type { Cluster } from './use-cluster.ts';
import { waitUntil } from './wait-until.ts';

/** What the API server is told to do with a request. */
export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** The error that the caller gets when it is not allowed. */
  readonly status?: { readonly code: number; readonly reason?: string; readonly message: string };
}

/** What is asked of pods: `EVICT` is the creation of their `eviction`. */
export type PodOperation = 'UPDATE' | 'DELETE' | 'EVICT';

export interface InterposeOptions {
  /** The only pods whose requests are interrupted; all of the namespace if it is left out. */
  readonly only?: readonly string[];
}

/**
 * Stands between the user `talon` and the pods of a namespace: the API server asks `decide` in the middle of every
 * such request, after it has read the pod and before it writes. So a test can make happen then whatever it wants.
 * It is in force when this returns, until `close`. The API server waits half a minute for the answer.
 */
export async function interpose(
  cluster: Cluster,
  namespace: TestNamespace,
  operation: PodOperation,
  decide: (pod: string) => Promise<AdmissionAnswer>,
  { only }: InterposeOptions = {},
): Promise<{ close(): Promise<void> }> {
  const probe = 'e2e-probe';
  let probed = false;
  const { loopback, admin, server, talon } = cluster.plane.address;
  const webhook = createServer(loopback, (request, response) => {
    void (async () => {
      const review = JSON.parse(await readBody(request)) as AdmissionReview;
      const isProbe = review.request.name === probe;
      probed ||= isProbe;
      const answer = isProbe ? { allowed: true } : await decide(review.request.name);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...review, response: { uid: review.request.uid, ...answer } }));
    })();
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const pods = only === undefined ? [] : [probe, ...only];
  const callee = { name: `${namespace.name}-${randomBytes(3).toString('hex')}`, url, ca: admin.ca, pods };
  await cluster.api.must('POST', path, configuration(namespace.name, operation, callee));

  // The API server learns of the webhook a little later: ask it for something harmless until it calls.
  if ((await namespace.find(probe)) === undefined) await namespace.pod(probe, { run: false });
  const api = new KubeApi(server, talon);
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: probe, namespace: namespace.name } };
  const dryRun = `${namespace.pods(probe)}?dryRun=All`;
  await waitUntil('the API server to call the webhook', async () => {
    if (operation === 'DELETE') await api.must('DELETE', dryRun);
    else if (operation === 'EVICT') await api.call('POST', `${namespace.pods(probe)}/eviction?dryRun=All`, eviction);
    else await api.mergePatch(dryRun, { metadata: { labels: { probe: String(Math.random()) } } });
    return probed;
  });
  api.close();
  return {
    async close() {
      await cluster.api.must('DELETE', `${path}/${callee.name}`);
      webhook.closeAllConnections();
      await new Promise((resolve) => webhook.close(resolve));
    },
  };
}

interface AdmissionReview {
  readonly request: { readonly uid: string; readonly name: string };
}

interface Callee {
  /** Of its configuration. */
  readonly name: string;
  readonly url: string;
  readonly ca: string;
  /** Empty: all pods. */
  readonly pods: readonly string[];
}

function configuration(namespace: string, operation: PodOperation, { name, url, ca, pods }: Callee): unknown {
  const evict = operation === 'EVICT';
  const names = pods.map((pod) => `'${pod}'`).join(', ');
  const matchConditions = [
    { name: 'by-talon', expression: "request.userInfo.username == 'talon'" },
    ...(pods.length > 0 ? [{ name: 'these-pods', expression: `request.name in [${names}]` }] : []),
  ];
  return {
    metadata: { name },
    webhooks: [
      {
        name: 'interpose.e2e.example',
        clientConfig: { url, caBundle: Buffer.from(ca).toString('base64') },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: [evict ? 'CREATE' : operation],
            resources: [evict ? 'pods/eviction' : 'pods'],
          },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        matchConditions,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 30,
      },
    ],
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
