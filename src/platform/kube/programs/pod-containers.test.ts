import { describe, expect, it } from 'vitest';
import { failureOf, pod, READ, signal, useRecordedKube } from '../recorded-kube.ts';
import { statusOf } from '../recording-api.ts';

const used = useRecordedKube();

const FOUND = {
  metadata: { name: 'web', namespace: 'shop', uid: 'uid-1' },
  spec: {
    initContainers: [{ name: 'init' }],
    containers: [{ name: 'main' }, { name: 'sidecar' }],
    ephemeralContainers: [{ name: 'debug' }],
  },
  status: {
    containerStatuses: [
      { name: 'main', containerID: 'containerd://abc', imageID: '' },
      { name: 'sidecar', imageID: '' },
    ],
    ephemeralContainerStatuses: [{ name: 'debug', containerID: 'containerd://def', imageID: '' }],
  },
};
const answer = (body: unknown) => used.api.answers.set(READ, { status: 200, body });

describe('pods.containers', () => {
  it('are those that stay, in the order of the specification, in the very pod', async () => {
    answer(FOUND);
    const very = { ...pod(), uid: 'uid-1' };
    expect(await used.kube.adapters['pods.containers'](pod(), signal)).toEqual([
      { kind: 'container', name: 'main', pod: very },
      { kind: 'container', name: 'sidecar', pod: very },
    ]);
  });

  it('may be none', async () => {
    answer({ metadata: FOUND.metadata });
    expect(await used.kube.adapters['pods.containers'](pod(), signal)).toEqual([]);
  });

  it('share one lookup with the ids', async () => {
    answer(FOUND);
    const target = pod();
    await used.kube.adapters['pods.containers'](target, signal);
    expect(await used.kube.adapters['pods.containerIds'](target, signal)).toEqual(['abc']);
    expect(used.api.seen).toHaveLength(1);
  });

  it('are not those of a successor', async () => {
    answer(FOUND);
    const meant = { ...pod(), uid: 'uid-0' };
    const missing = { code: 'not-found', message: "the pod 'web' in the namespace 'shop' doesn't exist" };
    expect(await failureOf(used.kube.adapters['pods.containers'](meant, signal))).toMatchObject(missing);
    expect(await failureOf(used.kube.adapters['pods.containerIds'](meant, signal))).toMatchObject(missing);
  });

  it.each<[number, string, object]>([
    [404, 'NotFound', { code: 'not-found', message: "the pod 'web' in the namespace 'shop' doesn't exist" }],
    [403, 'Forbidden', { code: 'refused', message: 'because' }],
    [500, 'InternalError', { code: 'busy' }],
  ])('fails for %i', async (status, reason, expected) => {
    used.api.answers.set(READ, statusOf(status, reason, 'because'));
    expect(await failureOf(used.kube.adapters['pods.containers'](pod(), signal))).toMatchObject(expected);
  });
});
