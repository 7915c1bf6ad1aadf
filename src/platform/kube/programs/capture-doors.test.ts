import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PodTarget } from '../../../model/targets.ts';
import { createKubeAdapters } from '../kube-adapters.ts';
import { failureOf, POD_PATH, pod, READ, signal, useRecordedKube } from '../recorded-kube.ts';
import { type Answer, statusOf, type WholeAnswer } from '../recording-api.ts';

const PINNED = 'mirror.example/tcpdump@sha256:0123';
const captures = { images: new Map([['tcpdump:latest', PINNED]]), namespace: 'talon', readyTimeout: 250 };
const recorded = useRecordedKube({ captures });
const { api } = recorded;

const NAMES = { name: 'web', namespace: 'shop' };
const of = (status: object): WholeAnswer => ({
  status: 200,
  body: {
    metadata: { ...NAMES, uid: 'uid-1' },
    spec: { nodeName: 'node-1', containers: [{ name: 'main' }, { name: 'sidecar' }] },
    status,
  },
});

/** An answer that is another one each time; the last one stays. */
function inTurn(...answers: readonly WholeAnswer[]): Answer {
  const left = [...answers];
  return (response) => {
    const { status, body } = (left.length > 1 ? left.shift() : left[0])!;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

interface SentObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly ephemeralContainers: readonly [{ readonly name: string }] };
}

/** The body of the only request with this method. */
function sent(method: string): SentObject {
  const [request, ...more] = api.seen.filter(({ line }) => line.startsWith(`${method} `));
  expect(more).toEqual([]);
  return request?.body as SentObject;
}

describe('captures.inPod', () => {
  const PATCH = `PATCH ${POD_PATH}/ephemeralcontainers`;
  const capture = (image = 'tcpdump:1', ttl = 65, target: PodTarget = pod()) =>
    recorded.kube.adapters['captures.inPod'](target, image, ttl, signal);

  /** Answers to the patch, and then shows the container that it asked for in these states. */
  function answerWith(...states: object[]): void {
    api.answers.set(READ, of({}));
    api.answers.set(PATCH, (response) => {
      const { name } = sent('PATCH').spec.ephemeralContainers[0];
      const shown = states.map((state) =>
        of({
          ephemeralContainerStatuses: [
            { name: 'x', state: { running: {} } },
            { name, state },
          ],
        }),
      );
      api.answers.set(READ, inTurn(...shown));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }
  const RUNNING = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const NOT_READY = "ephemeral container for the tcpdump not ready in the pod 'web' in the namespace 'shop'";

  it('adds a container that may see packets and no more, and waits until it runs', async () => {
    answerWith({ waiting: { reason: 'ContainerCreating' } }, RUNNING);
    const container = await capture();
    expect(container).toMatchObject({ kind: 'container', pod: { ...NAMES, uid: 'uid-1' } });
    expect(container.name).toMatch(/^falco-talon-tcpdump-[0-9a-f]{5}$/);
    expect(api.seen.find(({ line }) => line === PATCH)?.type).toBe('application/strategic-merge-patch+json');
    expect(sent('PATCH')).toEqual({
      metadata: { uid: 'uid-1' },
      spec: {
        ephemeralContainers: [
          {
            name: container.name,
            image: 'tcpdump:1',
            imagePullPolicy: 'Always',
            command: ['sleep', '65'],
            targetContainerName: 'main',
            terminationMessagePolicy: 'File',
            securityContext: {
              privileged: false,
              allowPrivilegeEscalation: false,
              runAsUser: 0,
              runAsNonRoot: false,
              capabilities: { drop: ['ALL'], add: ['NET_RAW', 'NET_ADMIN', 'SETGID', 'SETUID', 'KILL'] },
            },
          },
        ],
      },
    });
  });

  it('has another name each time', async () => {
    const names = new Set<string>();
    for (let run = 0; run < 5; run += 1) {
      api.reset();
      answerWith(RUNNING);
      names.add((await capture()).name);
    }
    expect(names.size).toBe(5);
  });

  it('takes the image that the settings put in the place of another, and pulls a digest once', async () => {
    answerWith(RUNNING);
    await capture('tcpdump:latest');
    const [container] = sent('PATCH').spec.ephemeralContainers;
    expect(container).toMatchObject({ image: PINNED, imagePullPolicy: 'IfNotPresent' });
  });

  it('is tied to the pod that was looked up', async () => {
    answerWith(RUNNING);
    await failureOf(capture('tcpdump:1', 65, { ...pod(), uid: 'uid-0' }));
    expect(sent('PATCH')).toMatchObject({ metadata: { uid: 'uid-0' } });
  });

  it.each<[string, object, string]>([
    ['nothing known', {}, ''],
    ['a container that is being made', { waiting: { reason: 'ContainerCreating', message: 'soon' } }, ''],
    [
      'an image that cannot be pulled',
      { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "tcpdump:1"' } },
      ': ImagePullBackOff: Back-off pulling image "tcpdump:1"',
    ],
    ['a reason alone', { waiting: { reason: 'CreateContainerConfigError' } }, ': CreateContainerConfigError'],
    [
      'a container that ended',
      { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "sleep": not found\n' } },
      ': StartError: exec: "sleep": not found',
    ],
    ['a node that says too much', { waiting: { reason: 'x'.repeat(9_000) } }, `: ${'x'.repeat(500)}`],
  ])('says that it does not run: %s', async (_, state, why) => {
    answerWith(state);
    expect(await failureOf(capture())).toMatchObject({ code: 'refused', message: `${NOT_READY}${why}` });
  });

  it('waits no longer for a container that ended', async () => {
    answerWith({ terminated: { exitCode: 1 } });
    const begin = performance.now();
    await failureOf(capture());
    expect(performance.now() - begin).toBeLessThan(200);
  });

  it('looks past an API server that is busy for a moment, and says so of one that stays so', async () => {
    answerWith(RUNNING);
    api.answers.set(PATCH, (response) => {
      api.answers.set(READ, inTurn(statusOf(500, 'InternalError', 'etcd')));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    expect(await failureOf(capture())).toMatchObject({ code: 'busy' });
    expect(api.seen.filter(({ line }) => line === READ).length).toBeGreaterThan(2);
  });

  it.each<[string, Answer, object]>([
    [
      'a namespace that forbids it',
      statusOf(
        403,
        'Forbidden',
        'pods "web" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities',
      ),
      { code: 'refused', message: expect.stringContaining('violates PodSecurity') },
    ],
    [
      'a pod that is gone meanwhile',
      statusOf(404, 'NotFound', 'gone'),
      { code: 'not-found', message: "the pod 'web' in the namespace 'shop' doesn't exist" },
    ],
    ['a broken connection', 'hang up', { code: 'unreachable' }],
  ])('fails for %s', async (_, answer, failure) => {
    answerWith(RUNNING);
    api.answers.set(PATCH, answer);
    expect(await failureOf(capture())).toMatchObject(failure);
  });

  it('finds no container in a pod without any, and asks for none that lasts for ever', async () => {
    api.answers.set(READ, { status: 200, body: { metadata: NAMES, spec: { containers: [] } } });
    expect(await failureOf(capture())).toMatchObject({ code: 'refused', message: 'no container found' });
    expect(await failureOf(capture('tcpdump:1', 7201))).toMatchObject({ code: 'refused' });
    expect(await failureOf(capture('tcpdump:1', 0))).toMatchObject({ code: 'refused' });
    expect(api.seen.map(({ line }) => line)).toEqual([READ]);
  });
});

describe('captures.onNode', () => {
  const JOBS = '/apis/batch/v1/namespaces/talon/jobs';
  const isList = (line: string) => line.startsWith('GET /api/v1/namespaces/talon/pods?');
  const deletions = () => api.seen.filter(({ line }) => line.startsWith('DELETE '));
  const capture = (stepSignal: AbortSignal, adapters = recorded.kube.adapters) =>
    adapters['captures.onNode'](pod(), 'sysdig:1', 70, stepSignal);

  /** A job that is made, and its pods in these states. */
  function answerWith(...lists: (readonly object[])[]): void {
    api.answers.set(READ, of({}));
    api.answers.set(`POST ${JOBS}`, { status: 201, body: {} });
    const answer = inTurn(...lists.map((items) => ({ status: 200, body: { items } })));
    api.otherwise = (line) => {
      if (line.startsWith(`DELETE ${JOBS}/`)) return { status: 200, body: {} };
      return isList(line) ? answer : undefined;
    };
  }
  const podWith = (status: object) => ({ metadata: { name: 'job-pod', namespace: 'talon', uid: 'uid-2' }, status });
  const PENDING = podWith({ phase: 'Pending' });
  const READY = podWith({ phase: 'Running', containerStatuses: [{ name: 'x', ready: true }] });
  const NOT_YET = podWith({ phase: 'Running', containerStatuses: [{ name: 'x', ready: false }] });

  it('runs a job on the node of the pod, in the namespace of the settings, and waits until it is ready', async () => {
    answerWith([], [PENDING], [NOT_YET], [READY]);
    const step = new AbortController();
    const { container, job } = await capture(step.signal);
    expect(job).toMatch(/^falco-talon-sysdig-[0-9a-f]{5}$/);
    expect(container).toEqual({
      kind: 'container',
      name: 'falco-talon-sysdig',
      pod: { kind: 'pod', name: 'job-pod', namespace: 'talon', uid: 'uid-2' },
    });
    const asked = new Set(api.seen.map(({ line }) => line).filter(isList));
    expect([...asked]).toEqual([
      `GET /api/v1/namespaces/talon/pods?labelSelector=batch.kubernetes.io%2Fjob-name%3D${job}`,
    ]);
    const labels = {
      'app.kubernetes.io/managed-by': 'falco-talon',
      'app.kubernetes.io/name': 'falco-talon-sysdig',
      'app.kubernetes.io/part-of': 'falco-talon',
    };
    const annotations = { 'end-at': expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/) };
    expect(sent('POST')).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: job, labels, annotations },
      spec: {
        ttlSecondsAfterFinished: 3600,
        activeDeadlineSeconds: 71,
        backoffLimit: 0,
        completions: 1,
        template: {
          metadata: { labels, annotations },
          spec: {
            nodeName: 'node-1',
            tolerations: [{ operator: 'Exists' }],
            activeDeadlineSeconds: 71,
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 1,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            containers: [
              {
                name: 'falco-talon-sysdig',
                image: 'sysdig:1',
                imagePullPolicy: 'Always',
                command: ['sleep', '70'],
                securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false },
                volumeMounts: [{ name: 'host-fs', mountPath: '/host' }],
              },
            ],
            volumes: [{ name: 'host-fs', hostPath: { path: '/' } }],
          },
        },
      },
    });
    expect(deletions()).toEqual([]);
    step.abort();
    await expect.poll(deletions).toHaveLength(1);
    expect(deletions()).toMatchObject([{ line: `DELETE ${JOBS}/${job}`, body: { propagationPolicy: 'Background' } }]);
  });

  it.each<[string, readonly object[], string]>([
    ['no pod', [], 'is not ready'],
    ['a pod that is not ready', [NOT_YET], 'for the sysdig capture is not ready'],
    [
      'an image that cannot be pulled',
      [
        podWith({
          phase: 'Pending',
          containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }],
        }),
      ],
      'for the sysdig capture is not ready: ErrImagePull: no such image',
    ],
    [
      'a pod that its node refused',
      [podWith({ phase: 'Failed', reason: 'OutOfpods', message: 'Node is full' })],
      'for the sysdig capture is not ready: OutOfpods: Node is full',
    ],
  ])('says what there is: %s; and removes the job when the step ends', async (_, items, text) => {
    answerWith(items);
    const step = new AbortController();
    const error = await failureOf(capture(step.signal));
    const { name } = sent('POST').metadata;
    expect(error).toMatchObject({ code: 'refused', message: `the job '${name}' in the namespace 'talon' ${text}` });
    step.abort();
    await expect.poll(deletions).toHaveLength(1);
  });

  it('removes a job of which it is not known whether it was made, and leaves one alone that it was refused', async () => {
    answerWith([READY]);
    const lost = new AbortController();
    api.answers.set(`POST ${JOBS}`, 'hang up');
    expect(await failureOf(capture(lost.signal))).toMatchObject({ code: 'unreachable' });
    lost.abort();
    await expect.poll(deletions).toHaveLength(1);

    const refused = new AbortController();
    api.answers.set(`POST ${JOBS}`, statusOf(403, 'Forbidden', 'jobs.batch is forbidden'));
    expect(await failureOf(capture(refused.signal))).toMatchObject({
      code: 'refused',
      message: 'jobs.batch is forbidden',
    });
    refused.abort();
    await sleep(100);
    expect(deletions()).toHaveLength(1);
  });

  it('goes on removing while the API server is busy, and the adapters wait for it when they close', async () => {
    const kube = createKubeAdapters({ captures, kubeconfig: api.kubeconfig('other') });
    await kube.init();
    answerWith([READY]);
    const step = new AbortController();
    await capture(step.signal, kube.adapters);
    const { otherwise } = api;
    const removal = inTurn(statusOf(500, 'InternalError', 'etcd'), { status: 200, body: {} });
    api.otherwise = (line) => (line.startsWith('DELETE ') ? removal : otherwise(line));
    step.abort();
    await kube.close();
    expect(deletions()).toHaveLength(2);
  });

  it('needs a pod that is on a node', async () => {
    api.answers.set(READ, { status: 200, body: { metadata: NAMES, spec: { containers: [{ name: 'main' }] } } });
    expect(await failureOf(capture(signal))).toMatchObject({
      code: 'refused',
      message: "the pod 'web' in the namespace 'shop' is on no node yet",
    });
    expect(api.seen).toHaveLength(1);
  });

  it('runs in the namespace of the pod where Talon is in none and nobody says another', async () => {
    const kube = createKubeAdapters({ captures: { readyTimeout: 1 }, kubeconfig: api.kubeconfig('third') });
    await kube.init();
    api.answers.set(READ, of({}));
    await failureOf(capture(signal, kube.adapters));
    expect(api.seen.map(({ line }) => line)).toEqual([READ, 'POST /apis/batch/v1/namespaces/shop/jobs']);
    await kube.close();
  });
});
