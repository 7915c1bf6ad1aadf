import { homedir } from 'node:os';
import { join } from 'node:path';

/** One real program that the end-to-end tests run, and how Go builds it. */
export interface Component {
  readonly version: string;
  /** The folder beside this file whose go.mod and go.sum pin everything that goes into the program. */
  readonly module: 'fake-gcs' | 'kubernetes' | 'kwok' | 'loki' | 'minio' | 'opa';
  readonly package: string;
  readonly tags?: string;
  readonly linkerFlags?: string;
}

const kubernetes = {
  version: 'v1.34.4',
  module: 'kubernetes',
  // Without these the binaries call themselves v0.0.0, and clients that compare versions are misled.
  linkerFlags: [
    '-X k8s.io/component-base/version.gitVersion=v1.34.4',
    '-X k8s.io/component-base/version.gitMajor=1',
    '-X k8s.io/component-base/version.gitMinor=34',
  ].join(' '),
} as const;

/**
 * The programs in the order in which they are built: what is quick comes first, so that a broken set-up shows early.
 * etcd is built here because watch progress, which kwok needs, is missing from the older etcd that distributions carry.
 */
export const components = {
  etcd: { version: 'v3.6.4', module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3' },
  'kube-apiserver': { ...kubernetes, package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': { ...kubernetes, package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  kubelet: { ...kubernetes, package: 'k8s.io/kubernetes/cmd/kubelet' },
  kwok: { version: 'v0.8.0', module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
  opa: { version: 'v1.22.2', module: 'opa', package: 'github.com/open-policy-agent/opa', tags: 'opa_wasm' },
  'fake-gcs-server': { version: 'v1.56.1', module: 'fake-gcs', package: 'github.com/fsouza/fake-gcs-server' },
  // Its releases are no versions that Go knows: the date is that of the release.
  minio: { version: 'v0.0.0-20260212201848', module: 'minio', package: 'github.com/minio/minio' },
  loki: { version: 'v3.7.8', module: 'loki', package: 'github.com/grafana/loki/v3/cmd/loki' },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof components;

/** Where built programs are kept between runs: outside of the checkout, shared by all checkouts. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'talon-e2e');
}

/** The absolute path of a component's program, whether it has been built yet or not. */
export function componentPath(name: ComponentName): string {
  return join(cacheFolder(), `${name}-${components[name].version}`, name);
}
