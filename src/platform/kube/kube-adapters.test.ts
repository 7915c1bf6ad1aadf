import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeTarget, PodTarget } from '../../model/doors.ts';
import { createKubeAdapters, type KubeAdapters } from './kube-adapters.ts';

const TOKEN = 'a-token-that-must-not-be-shown';

interface Seen {
  readonly line: string;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}
type Answer = { readonly status: number; readonly body: unknown } | 'silence' | 'hang up';

/** What the server has seen, and what it answers; by method and path, or to everything else with 404. */
const seen: Seen[] = [];
const answers = new Map<string, Answer>();
const sockets = new Set<Socket>();
let server: Server;
let folder: string;
let kube: KubeAdapters;

const POD_PATH = '/api/v1/namespaces/shop/pods/web';
const READ = `GET ${POD_PATH}`;
const signal = new AbortController().signal;
// One signal for all requests of this file; the broker does the same for those of a step.
setMaxListeners(0, signal);
const pod = (): PodTarget => ({ kind: 'pod', namespace: 'shop', name: 'web' });
const node: NodeTarget = { kind: 'node', name: 'node-1' };

const status = (code: number, reason: string, message: string): Answer => {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message } };
};
const notFound = status(404, 'NotFound', 'pods "web" not found');

function podBody(metadata: object = {}, spec: object = {}): Answer {
  return {
    status: 200,
    body: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', uid: 'uid-1', ...metadata }, spec },
  };
}
function ownedBy(...references: object[]): Answer {
  return podBody({
    ownerReferences: references.map((reference) => ({ apiVersion: 'apps/v1', uid: 'o', ...reference })),
  });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-kube-'));
  server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    seen.push({ line, ...(await read(request)) });
    const answer = answers.get(line) ?? notFound;
    if (answer === 'silence') return;
    if (answer === 'hang up') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  kube = createKubeAdapters({ kubeconfig: kubeconfig('kubeconfig', server), answerTimeout: 400 });
  await kube.init();
});
afterAll(async () => {
  await kube.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  seen.length = 0;
  answers.clear();
});

async function read(request: IncomingMessage) {
  const body = await text(request);
  return {
    type: request.headers['content-type'],
    authorization: request.headers.authorization,
    body: body === '' ? undefined : JSON.parse(body),
  };
}

function kubeconfig(name: string, target: Server | string): string {
  const address = typeof target === 'string' ? target : `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  const file = path.join(folder, name);
  writeFileSync(
    file,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: address } }],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  return file;
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe('pods.label', () => {
  it('is one merge patch, in which null removes', async () => {
    answers.set(`PATCH ${POD_PATH}`, podBody());
    await kube.adapters['pods.label'](pod(), { a: 'b', gone: null, 'x.example/y': '' }, signal);
    expect(seen).toEqual([
      {
        line: `PATCH ${POD_PATH}`,
        type: 'application/merge-patch+json',
        authorization: `Bearer ${TOKEN}`,
        body: { metadata: { labels: { a: 'b', gone: null, 'x.example/y': '' } } },
      },
    ]);
  });

  it('is tied to the UID, where that is known', async () => {
    answers.set(`PATCH ${POD_PATH}`, podBody());
    await kube.adapters['pods.label']({ ...pod(), uid: 'uid-1' }, { a: 'b' }, signal);
    expect(seen[0]?.body).toEqual({ metadata: { uid: 'uid-1', labels: { a: 'b' } } });
  });
});

describe('pods.delete', () => {
  it('is tied to the UID of the pod that it looked up, and always says how long it waits', async () => {
    answers.set(READ, podBody());
    answers.set(`DELETE ${POD_PATH}`, podBody());
    await kube.adapters['pods.delete'](pod(), 0, signal);
    expect(seen.map(({ line }) => line)).toEqual([READ, `DELETE ${POD_PATH}`]);
    expect(seen[1]?.body).toMatchObject({ gracePeriodSeconds: 0, preconditions: { uid: 'uid-1' } });
  });

  it('needs no lookup where the UID is known', async () => {
    answers.set(`DELETE ${POD_PATH}`, podBody());
    await kube.adapters['pods.delete']({ ...pod(), uid: 'uid-0' }, 30, signal);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.body).toMatchObject({ gracePeriodSeconds: 30, preconditions: { uid: 'uid-0' } });
  });

  it('shares the lookup with the other doors of the step', async () => {
    answers.set(READ, podBody({}, { nodeName: 'node-1' }));
    answers.set(`DELETE ${POD_PATH}`, podBody());
    const target = pod();
    await Promise.all([kube.adapters['pods.owner'](target, signal), kube.adapters['nodes.ofPod'](target, signal)]);
    await kube.adapters['pods.delete'](target, 0, signal);
    expect(seen.map(({ line }) => line)).toEqual([READ, `DELETE ${POD_PATH}`]);
  });

  it('does not keep a lookup that failed', async () => {
    answers.set(READ, status(503, 'ServiceUnavailable', 'not yet'));
    const target = pod();
    await failureOf(kube.adapters['pods.delete'](target, 0, signal));
    answers.set(READ, podBody());
    answers.set(`DELETE ${POD_PATH}`, podBody());
    await kube.adapters['pods.delete'](target, 0, signal);
    expect(seen.map(({ line }) => line)).toEqual([READ, READ, `DELETE ${POD_PATH}`]);
  });

  it('says of a pod that was replaced what the API server says', async () => {
    answers.set(READ, podBody());
    answers.set(`DELETE ${POD_PATH}`, status(409, 'Conflict', 'Precondition failed: UID in precondition: uid-1'));
    expect(await failureOf(kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject({
      code: 'refused',
      message: 'Precondition failed: UID in precondition: uid-1',
    });
  });
});

describe('pods.owner', () => {
  const replicaSet = '/apis/apps/v1/namespaces/shop/replicasets/rs';
  const owner = () => kube.adapters['pods.owner'](pod(), signal);

  it('is null for a standalone pod', async () => {
    answers.set(READ, podBody());
    expect(await owner()).toBeNull();
  });

  it.each(['DaemonSet', 'StatefulSet'])('is a %s, without a second request', async (kind) => {
    answers.set(READ, ownedBy({ kind, name: 'x', controller: true }));
    expect(await owner()).toEqual({ kind, name: 'x' });
    expect(seen).toHaveLength(1);
  });

  it('has the replicas of a ReplicaSet', async () => {
    answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    answers.set(`GET ${replicaSet}`, { status: 200, body: { spec: { replicas: 4 }, status: { readyReplicas: 3 } } });
    expect(await owner()).toEqual({ kind: 'ReplicaSet', name: 'rs', replicas: 4, ready: 3 });
  });

  it('counts none where the ReplicaSet says nothing of ready ones', async () => {
    answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    answers.set(`GET ${replicaSet}`, { status: 200, body: { spec: { replicas: 4 }, status: { replicas: 4 } } });
    expect(await owner()).toMatchObject({ replicas: 4, ready: 0 });
  });

  it('prefers the reference that controls', async () => {
    answers.set(READ, ownedBy({ kind: 'Thing', name: 'x' }, { kind: 'DaemonSet', name: 'y', controller: true }));
    expect(await owner()).toEqual({ kind: 'DaemonSet', name: 'y' });
  });

  it('is the first reference where none controls', async () => {
    answers.set(READ, ownedBy({ kind: 'StatefulSet', name: 'x' }, { kind: 'DaemonSet', name: 'y' }));
    expect(await owner()).toEqual({ kind: 'StatefulSet', name: 'x' });
  });

  it.each([
    { kind: 'Job', apiVersion: 'batch/v1' },
    { kind: 'Node', apiVersion: 'v1' },
    { kind: 'ReplicaSet', apiVersion: 'example.org/v1' },
  ])('is another for $kind of $apiVersion', async (reference) => {
    answers.set(READ, ownedBy({ ...reference, name: 'x', controller: true }));
    expect(await owner()).toEqual({ kind: 'other', name: 'x' });
  });

  it('fails when the ReplicaSet is gone', async () => {
    answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    answers.set(`GET ${replicaSet}`, status(404, 'NotFound', 'replicasets.apps "rs" not found'));
    expect(await failureOf(owner())).toMatchObject({
      code: 'refused',
      message: "the replicaset 'rs' in the namespace 'shop' doesn't exist",
    });
  });
});

describe('nodes', () => {
  it('are found by the pod that runs on them', async () => {
    answers.set(READ, podBody({}, { nodeName: 'node-1' }));
    expect(await kube.adapters['nodes.ofPod'](pod(), signal)).toEqual(node);
  });

  it.each([{}, { nodeName: '' }, { nodeName: '../namespaces/x' }])('are not found by %j', async (spec) => {
    answers.set(READ, podBody({}, spec));
    expect(await failureOf(kube.adapters['nodes.ofPod'](pod(), signal))).toMatchObject({
      code: 'refused',
      message: "the pod 'web' in the namespace 'shop' is on no node yet",
    });
  });

  it('are labeled by one merge patch', async () => {
    answers.set('PATCH /api/v1/nodes/node-1', { status: 200, body: {} });
    await kube.adapters['nodes.label'](node, { a: 'b', gone: null }, signal);
    expect(seen).toMatchObject([
      { type: 'application/merge-patch+json', body: { metadata: { labels: { a: 'b', gone: null } } } },
    ]);
  });

  it('that do not exist are named', async () => {
    answers.set('PATCH /api/v1/nodes/node-1', status(404, 'NotFound', 'nodes "node-1" not found'));
    expect(await failureOf(kube.adapters['nodes.label'](node, { a: 'b' }, signal))).toMatchObject({
      code: 'refused',
      message: `error getting node 'node-1': nodes "node-1" not found`,
    });
  });
});

describe('an answer that is not good', () => {
  const label = () => failureOf(kube.adapters['pods.label'](pod(), { a: 'b' }, signal));

  it("is Falco Talon's text for a pod that does not exist, whichever request says so", async () => {
    const missing = {
      name: 'DoorError',
      code: 'not-found',
      message: "the pod 'web' in the namespace 'shop' doesn't exist",
    };
    expect(await label()).toMatchObject(missing);
    for (const lookup of ['pods.owner', 'nodes.ofPod'] as const) {
      expect(await failureOf(kube.adapters[lookup](pod(), signal))).toMatchObject(missing);
    }
    expect(await failureOf(kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject(missing);
    answers.set(READ, podBody());
    expect(await failureOf(kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject(missing);
  });

  it.each([
    [400, 'BadRequest', 'refused', 'the words'],
    [401, 'Unauthorized', 'refused', 'the words'],
    [403, 'Forbidden', 'refused', 'the words'],
    [409, 'Conflict', 'refused', 'the words'],
    [422, 'Invalid', 'refused', 'the words'],
    [408, 'Timeout', 'unreachable', 'the Kubernetes API answered 408: the words'],
    [429, 'TooManyRequests', 'unreachable', 'the Kubernetes API answered 429: the words'],
    [500, 'InternalError', 'unreachable', 'the Kubernetes API answered 500: the words'],
    [503, 'ServiceUnavailable', 'unreachable', 'the Kubernetes API answered 503: the words'],
    [504, 'Timeout', 'unreachable', 'the Kubernetes API answered 504: the words'],
  ])('%i %s is %s', async (code, reason, failure, message) => {
    answers.set(`PATCH ${POD_PATH}`, status(code, reason, 'the words'));
    expect(await label()).toMatchObject({ name: 'DoorError', code: failure, message });
  });

  it.each<[string, Answer, string, string]>([
    [
      'a 404 of a proxy',
      { status: 404, body: '404 page not found\n' },
      'refused',
      'the Kubernetes API answered 404: 404 page not found',
    ],
    [
      'a page of a gateway',
      { status: 502, body: '<html>Bad Gateway</html>' },
      'unreachable',
      'the Kubernetes API answered 502: <html>Bad Gateway</html>',
    ],
    ['a redirect', { status: 302, body: '' }, 'refused', 'the Kubernetes API answered 302'],
    ['JSON of another kind', { status: 403, body: null }, 'refused', 'the Kubernetes API answered 403: null'],
  ])('%s is not mistaken for an answer of the API', async (_, answer, code, message) => {
    answers.set(`PATCH ${POD_PATH}`, answer);
    expect(await label()).toMatchObject({ code, message });
  });

  it('is cut where it is long', async () => {
    answers.set(`PATCH ${POD_PATH}`, status(422, 'Invalid', 'x'.repeat(50_000)));
    expect((await label()) as Error).toMatchObject({ message: 'x'.repeat(2000) });
  });
});

describe('no answer', () => {
  const label = (given = signal) => failureOf(kube.adapters['pods.label'](pod(), { a: 'b' }, given));

  it('ends after a while', async () => {
    answers.set(`PATCH ${POD_PATH}`, 'silence');
    const before = performance.now();
    expect(await label()).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^no answer .*timeout/i),
    });
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('is told from an answer', async () => {
    answers.set(`PATCH ${POD_PATH}`, 'hang up');
    expect(await label()).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/^no answer from the/) });
  });

  it('is waited for only as long as the step', async () => {
    answers.set(`PATCH ${POD_PATH}`, 'silence');
    const controller = new AbortController();
    const failure = label(controller.signal);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    controller.abort(new Error('the step is over'));
    expect(await failure).toMatchObject({ code: 'unreachable' });
  });

  it('is the end of it where nobody listens', async () => {
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const file = kubeconfig('nobody', nobody);
    await new Promise((resolve) => nobody.close(resolve));
    const away = createKubeAdapters({ kubeconfig: file });
    await away.init();
    const failure = (await failureOf(away.adapters['pods.label'](pod(), { a: 'b' }, signal))) as Error;
    expect(failure).toMatchObject({ code: 'unreachable' });
    expect(failure.message).toMatch(/^no answer from the Kubernetes API: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    await away.close();
  });
});

it('never shows the token', async () => {
  const failures: unknown[] = [];
  for (const answer of [
    'hang up',
    'silence',
    status(401, 'Unauthorized', 'Unauthorized'),
    { status: 500, body: '' },
  ] as const) {
    answers.set(`PATCH ${POD_PATH}`, answer);
    failures.push(await failureOf(kube.adapters['pods.label'](pod(), { a: 'b' }, signal)));
  }
  for (const failure of failures) expect(String(failure)).not.toContain(TOKEN);
});

it('keeps connections, and sends as much at once as it is asked for', async () => {
  answers.set(`PATCH ${POD_PATH}`, podBody());
  const before = performance.now();
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 200 }, () => kube.adapters['pods.label'](pod(), { a: 'b' }, signal)));
  }
  expect(seen).toHaveLength(600);
  expect(sockets.size).toBeLessThanOrEqual(64);
  // Five a second, as client-go allows, would take two minutes.
  expect(performance.now() - before).toBeLessThan(15_000);
});

describe('before init', () => {
  it('the doors are shut', async () => {
    const early = createKubeAdapters({ kubeconfig: path.join(folder, 'kubeconfig') });
    expect(await failureOf(early.adapters['pods.owner'](pod(), signal))).toMatchObject({
      code: 'unreachable',
      message: 'wrong k8s client',
    });
    expect(seen).toEqual([]);
  });

  it('that failed, they stay shut, until one succeeds', async () => {
    const file = path.join(folder, 'later');
    const late = createKubeAdapters({ kubeconfig: file });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await failureOf(late.init())).toMatchObject({ message: `open ${file}: no such file or directory` });
      expect(await failureOf(late.adapters['pods.label'](pod(), {}, signal))).toMatchObject({
        message: 'wrong k8s client',
      });
    }
    kubeconfig('later', server);
    answers.set(`PATCH ${POD_PATH}`, podBody());
    await late.init();
    await late.adapters['pods.label'](pod(), { a: 'b' }, signal);
    await late.close();
  });
});
