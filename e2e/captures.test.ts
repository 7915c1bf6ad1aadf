import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grants } from '../src/model/doors.ts';
import type { PodTarget } from '../src/model/targets.ts';
import { createKubeAdapters, type KubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { NODES } from './cluster/control-plane.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';
const IMAGE = 'registry.example/capture:1';
/** A UID that no object has. */
const NOBODY = '00000000-0000-4000-8000-000000000000';

const { signal } = new AbortController();
setMaxListeners(0, signal);

/** What a real API server makes of the containers of captures. That they work is shown on a real node. */
describe('the containers of captures', () => {
  const cluster = useCluster();
  const folder = makeScratch();
  let own: TestNamespace;
  let kube: KubeAdapters;

  beforeAll(async () => {
    own = await cluster.namespace('talon');
    const rules = grants(['captures.inPod', 'captures.onNode']).map(({ group, resource, verbs }) => ({
      ...{ apiGroups: [group], resources: [resource], verbs },
    }));
    await cluster.allow({ kind: 'User', name: 'talon' }, rules);
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.kubeconfig());
    const images = new Map([['issif/tcpdump:latest', `${IMAGE}@sha256:${'0'.repeat(64)}`]]);
    kube = createKubeAdapters({ kubeconfig, captures: { namespace: own.name, images, readyTimeout: 4000 } });
    await kube.init();
  });
  afterAll(async () => {
    await kube?.close();
    removeScratch(folder);
  });

  const target = ({ metadata: { name, namespace = '', uid } }: KubeObject): PodTarget => ({
    ...{ kind: 'pod', namespace, name, uid },
  });
  const failureOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

  describe('in a pod', () => {
    const inPod = (pod: PodTarget, image = IMAGE) => kube.adapters['captures.inPod'](pod, image, 65, signal);

    interface Ephemeral {
      readonly name: string;
    }
    const ephemeral = async (namespace: TestNamespace): Promise<readonly Ephemeral[]> =>
      ((await namespace.find('web'))?.spec?.ephemeralContainers ?? []) as readonly Ephemeral[];

    /** There is no kubelet that would say so. */
    async function setState(namespace: TestNamespace, containers: readonly Ephemeral[], state: object): Promise<void> {
      const status = { image: IMAGE, imageID: '', ready: false, restartCount: 0, state };
      const ephemeralContainerStatuses = containers.map(({ name }) => ({ name, ...status }));
      const path = `${namespace.pods('web')}/status`;
      await cluster.api.must('PATCH', path, { status: { ephemeralContainerStatuses } }, STRATEGIC);
    }

    it('are accepted, also where the pod itself may not be root, and are waited for', async () => {
      const namespace = await cluster.namespace('capture');
      const pod = await namespace.pod('web', {
        spec: { securityContext: { runAsNonRoot: true, runAsUser: 1000 } },
      });
      const capture = inPod(target(pod), 'issif/tcpdump:latest');
      const [made] = await waitUntil('the container', async () => {
        const found = await ephemeral(namespace);
        return found.length > 0 && found;
      });
      await setState(namespace, [made!], { running: { startedAt: '2026-01-01T00:00:00Z' } });
      expect(await capture).toEqual({ kind: 'container', name: made!.name, pod: target(pod) });
      expect(made).toMatchObject({
        image: `${IMAGE}@sha256:${'0'.repeat(64)}`,
        imagePullPolicy: 'IfNotPresent',
        command: ['sleep', '65'],
        targetContainerName: 'main',
        securityContext: {
          ...{ privileged: false, allowPrivilegeEscalation: false, runAsUser: 0, runAsNonRoot: false },
          capabilities: { drop: ['ALL'], add: expect.arrayContaining(['NET_RAW', 'NET_ADMIN']) },
        },
      });
      expect(namespace.audit().filter(({ verb }) => verb !== 'get')).toMatchObject([
        { verb: 'patch', objectRef: { subresource: 'ephemeralcontainers' } },
      ]);
    });

    it('do not meet each other where two are added at the same time', async () => {
      const namespace = await cluster.namespace('capture-two');
      const pod = await namespace.pod('web');
      const captures = [1, 2].map(() => failureOf(inPod(target(pod))));
      const made = await waitUntil('both containers', async () => {
        const found = await ephemeral(namespace);
        return found.length === 2 && found;
      });
      expect(new Set(made.map(({ name }) => name)).size).toBe(2);
      await setState(namespace, made, { terminated: { exitCode: 1, reason: 'Error' } });
      const text = `ephemeral container for the tcpdump not ready in the pod 'web' in the namespace '${namespace.name}': Error`;
      for (const capture of captures) expect(await capture).toMatchObject({ code: 'refused', message: text });
    });

    it('do not come into the successor of the pod that was meant', async () => {
      const namespace = await cluster.namespace('capture-successor');
      const pod = await namespace.pod('web');
      const failure = await failureOf(inPod({ ...target(pod), uid: NOBODY }));
      expect(failure).toMatchObject({ name: 'DoorError' });
      expect(await ephemeral(namespace)).toEqual([]);
    });

    it('are refused in the words of the API server where the namespace forbids them', async () => {
      const namespace = await cluster.namespace('capture-forbidden');
      const pod = await namespace.pod('web');
      await cluster.api.mergePatch(`/api/v1/namespaces/${namespace.name}`, {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
      });
      expect(await failureOf(inPod(target(pod)))).toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/violates PodSecurity "baseline:latest": .*NET_ADMIN/),
      });
      expect(await ephemeral(namespace)).toEqual([]);
    });

    it('say so where they do not run', async () => {
      const namespace = await cluster.namespace('capture-never');
      const pod = await namespace.pod('web');
      expect(await failureOf(inPod(target(pod)))).toMatchObject({
        code: 'refused',
        message: `ephemeral container for the tcpdump not ready in the pod 'web' in the namespace '${namespace.name}'`,
      });
    });
  });

  describe('on a node', () => {
    const jobs = () => `/apis/batch/v1/namespaces/${own.name}/jobs`;
    const jobOf = async () => (await cluster.api.list(jobs()))[0];

    it('are those of a job that is accepted, waited for, and gone with the step', async () => {
      const namespace = await cluster.namespace('capture-node');
      const pod = await namespace.pod('web', { node: NODES[1] });
      const step = new AbortController();
      const capture = kube.adapters['captures.onNode'](target(pod), IMAGE, 65, step.signal);
      const { container, job: name } = await capture;
      const job = (await jobOf())!;
      const [jobPod, ...more] = await cluster.api.list(own.pods());
      expect(more).toEqual([]);
      expect(name).toBe(job.metadata.name);
      expect(container).toEqual({ kind: 'container', name: 'falco-talon-sysdig', pod: target(jobPod!) });
      expect(jobPod!.spec).toMatchObject({
        nodeName: NODES[1],
        restartPolicy: 'Never',
        volumes: [{ name: 'host-fs' }],
      });
      expect(job.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'falco-talon' });
      expect(job.spec).toMatchObject({ ttlSecondsAfterFinished: 3600, backoffLimit: 0, activeDeadlineSeconds: 69 });
      step.abort();
      await waitUntil('the job and its pod to be gone', async () => {
        const [job, pods] = await Promise.all([jobOf(), cluster.api.list(own.pods())]);
        return job === undefined && pods.length === 0;
      });
      const verbs = own.audit().map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`);
      expect([...new Set(verbs)].sort()).toEqual(['create jobs', 'delete jobs', 'list pods']);
    });

    it('say so where there is none, and leave no job behind', async () => {
      const namespace = await cluster.namespace('capture-nobody');
      const pod = await namespace.pod('web');
      // The job is accepted then, and its pod is not.
      await cluster.api.mergePatch(`/api/v1/namespaces/${own.name}`, {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
      });
      const step = new AbortController();
      const failure = await failureOf(kube.adapters['captures.onNode'](target(pod), IMAGE, 65, step.signal));
      const { name } = (await jobOf())!.metadata;
      expect(failure).toMatchObject({
        code: 'refused',
        message: `the job '${name}' in the namespace '${own.name}' is not ready`,
      });
      step.abort();
      await waitUntil('the job to be gone', async () => (await jobOf()) === undefined);
    });
  });
});
