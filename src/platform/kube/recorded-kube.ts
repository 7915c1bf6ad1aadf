import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { PodTarget } from '../../model/targets.ts';
import { createKubeAdapters, type KubeAdapters } from './kube-adapters.ts';
import type { KubeSettings } from './kube-config.ts';
import { RecordingApi } from './recording-api.ts';

export const POD_PATH = '/api/v1/namespaces/shop/pods/web';
export const READ = `GET ${POD_PATH}`;
export const pod = (): PodTarget => ({ kind: 'pod', namespace: 'shop', name: 'web' });

/** One signal for all requests of a file; the broker does the same for those of a step. */
export const signal = new AbortController().signal;
setMaxListeners(0, signal);

/** For tests: adapters with a RecordingApi behind them, which forgets everything before each test. */
export function useRecordedKube(settings: Partial<KubeSettings> = {}): {
  readonly api: RecordingApi;
  readonly kube: KubeAdapters;
} {
  const api = new RecordingApi();
  const used: { api: RecordingApi; kube: KubeAdapters } = { api, kube: createKubeAdapters({ kubeconfig: '' }) };
  beforeAll(async () => {
    await api.start();
    used.kube = createKubeAdapters({ ...settings, kubeconfig: api.kubeconfig() });
    await used.kube.init();
  });
  afterAll(async () => {
    await used.kube.close();
    await api.stop();
  });
  beforeEach(() => api.reset());
  return used;
}

/** What a promise was rejected with. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}
