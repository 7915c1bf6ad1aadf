import { afterEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { alertBody } from './alert.ts';
import { usePeer } from './peers/peer.ts';
import { type Reply, startRecorder } from './peers/recorder.ts';
import { isResult, type LogLine, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** Milliseconds for one context, and what a busy machine may add. */
const LIMIT = 5_000;
const MARGIN = 3_000;

const api = usePeer(startRecorder);
const instance = usePeer(startRecorder);
const endpoint = usePeer(startRecorder);
let home: TalonHome | undefined;
let talon: Talon | undefined;
afterEach(async () => {
  await talon?.stop();
  home?.remove();
});

const NEVER = () => new Promise<Reply>(() => undefined);

it('tells what can be had where the metadata service hangs, and holds up nobody for longer than it may', async () => {
  instance().reply(NEVER);
  api().reply(healthyApi);
  await start();
  const { milliseconds, lines } = await act(1);
  expect(lines.filter(isResult)).toMatchObject([{ status: 'success' }]);
  expect(lines.filter(({ message }) => message === 'context')).toMatchObject([
    { context: 'aws', error: expect.stringContaining('instance metadata service') },
  ]);
  expect(sent()).toEqual({ region: '', zone: 'eu-west-3a' });
  expect(milliseconds).toBeLessThan(LIMIT + MARGIN);

  const begin = performance.now();
  const crowd = Array.from({ length: 40 }, (_, number) => act(number + 2));
  await Promise.all(crowd);
  const took = performance.now() - begin;
  console.log(
    `e2e: metadata service that hangs: an action after ${milliseconds.toFixed(0)} ms, 40 at once after ${took.toFixed(0)} ms`,
  );
  expect(took).toBeLessThan(3 * (LIMIT + MARGIN));
}, 60_000);

it.each([
  ['hangs', NEVER],
  ['fails', () => ({ status: 500, body: '{"kind":"Status","apiVersion":"v1","status":"Failure","code":500}' })],
  ['hangs once it has told the node', (request: { readonly target: string }) => (isAboutPod(request) ? POD : NEVER())],
  ['does not know the pod', () => NOT_FOUND],
] as const)('tells what can be had where the API server %s', async (how, reply) => {
  instance().reply(({ target }) => instanceSays(target));
  api().reply(reply as () => Reply);
  await start();
  const { milliseconds, lines } = await act(1);
  const problem = lines.find(({ message }) => message === 'context');
  console.log(`e2e: API server that ${how}: the action after ${milliseconds.toFixed(0)} ms; ${problem?.error}`);
  expect(lines.filter(isResult)).toMatchObject([{ status: 'success' }]);
  expect(problem).toMatchObject({ context: 'k8snode', error: expect.stringMatching(/./) });
  expect(sent()).toEqual({ region: 'eu-west-3', zone: '' });
  expect(milliseconds).toBeLessThan(LIMIT + MARGIN);
  // Nobody waits for it who does not need it.
  expect((await talon!.readiness()).status).toBe(200);
});

async function start(): Promise<void> {
  const action = {
    action: 'Tell',
    actionner: 'webhook:call',
    additional_contexts: ['aws', 'k8snode'],
    parameters: {
      url: endpoint().url,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: tokens of the rule
      body: JSON.stringify({ region: '${AWS_REGION}', zone: '${NODE_TOPOLOGY_ZONE}' }),
    },
  };
  home = await TalonHome.make({
    rules: JSON.stringify([{ rule: 'Tell', match: { rules: ['tell'] }, actions: [action] }]),
    kubeconfig: stringify({
      clusters: [{ name: 'c', cluster: { server: api().url } }],
      users: [{ name: 'u', user: { token: 'e2e' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
    settings: { aws: { region: 'us-east-1', access_key: 'AKIAE2ETALON00000001', secret_key: 'aws-secret' } },
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: instance().url },
  });
  talon = await home.start();
}

async function act(number: number): Promise<{ readonly milliseconds: number; readonly lines: readonly LogLine[] }> {
  const begin = performance.now();
  const fields = { 'k8s.ns.name': 'default', 'k8s.pod.name': `pod-${number}` };
  const lines = await talon!.handle(alertBody({ rule: 'tell', output: `alert ${number}`, fields }), {
    timeout: 40_000,
  });
  return { milliseconds: performance.now() - begin, lines };
}

function sent(): unknown {
  return JSON.parse(endpoint().requests.at(-1)!.body);
}

function json(status: number, body: object): Reply {
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

const POD = json(200, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'pod' }, spec: { nodeName: 'node-0' } });
const NODE = json(200, {
  kind: 'Node',
  apiVersion: 'v1',
  metadata: { name: 'node-0', labels: { 'topology.kubernetes.io/zone': 'eu-west-3a' } },
});
const NOT_FOUND = json(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 });

function healthyApi(request: { readonly target: string }): Reply {
  return isAboutPod(request) ? POD : NODE;
}

function isAboutPod({ target }: { readonly target: string }): boolean {
  return target.includes('/pods/');
}

function instanceSays(target: string): Reply {
  if (target === '/latest/api/token') return { status: 200, body: 'token' };
  if (target.endsWith('/document')) return json(200, { region: 'eu-west-3' });
  return json(200, { InstanceProfileArn: 'arn:aws:iam::1:instance-profile/e2e', InstanceProfileId: 'AIPA' });
}
