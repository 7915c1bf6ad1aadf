import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { ContextSources } from '../model/context-sources.ts';
import { DoorError } from '../model/door-error.ts';
import type { Adapters, Api } from '../model/door-row.ts';
import { TalonError } from '../model/talon-error.ts';
import type { TargetLookups } from '../model/target-facts.ts';
import type { StoreAddress, StoreTarget } from '../model/targets.ts';
import { createAwsAdapters } from '../platform/aws/aws-adapters.ts';
import { awsSettings } from '../platform/aws/aws-settings.ts';
import { createFileStore } from '../platform/files/file-store.ts';
import { createGcpAdapters } from '../platform/gcp/gcp-adapters.ts';
import { gcpSettings } from '../platform/gcp/gcp-settings.ts';
import type { Proxies } from '../platform/http/http-door-options.ts';
import { createHttpDoors, type HttpDoors } from '../platform/http/http-doors.ts';
import { createKubeAdapters, type KubeAdapters } from '../platform/kube/kube-adapters.ts';
import type { KubeSettings } from '../platform/kube/kube-config.ts';
import { createMailDoors } from '../platform/mail/mail-doors.ts';
import { createMinioAdapters } from '../platform/minio/minio-adapters.ts';
import { checkEnvironmentUrls, withScheme } from './settings/environment-urls.ts';
import { secretVariable } from './settings/secret-variables.ts';
import type { Environment, Settings } from './settings/settings.ts';

/** The outside world: everything that doors, guards and contexts lead to. */
export interface Platform {
  readonly adapters: Adapters;
  readonly lookups: TargetLookups;
  readonly contexts: ContextSources;
  readonly policyProblem: KubeAdapters['policyProblem'];
  readonly endpointProblem: HttpDoors['problemOf'];
  /**
   * What an API needs before it is asked for the first time, for those that need something: credentials are read and tried. Throws
   * a TalonError; the next call tries again.
   */
  readonly init: ReadonlyMap<Api, () => Promise<void>>;
  readonly close: () => Promise<void>;
}

/**
 * Puts the adapters together. Nothing is read, loaded or asked here.
 *
 * @param spool where artifacts go; without one no door makes or stores any
 * @throws TalonError of code `config`
 */
export function createPlatform(settings: Settings, env: Environment, spool: ArtifactSpool = NO_SPOOL): Platform {
  checkEnvironmentUrls(env);
  const kube = createKubeAdapters(kubeSettings(settings, env), spool);
  const aws = createAwsAdapters(awsSettings(settings.aws, env), spool);
  const gcp = createGcpAdapters(gcpSettings(settings.gcp, env), spool);
  const files = createFileStore(spool, settings.local.max_bytes);
  const minio = createMinioAdapters(settings.minio, spool);
  const http = createHttpDoors({
    spool,
    secretOf: (name) => secretVariable(name, env),
    ownPorts: [settings.listen_port, settings.metrics_listen_port].filter((port) => port !== 0),
    proxies: proxiesOf(env),
  });
  const checks: Readonly<Record<StoreAddress['category'], (store: StoreTarget, signal: AbortSignal) => Promise<void>>> =
    { local: files.checkStore, aws: aws.checkStore, minio: minio.checkStore, gcp: gcp.checkStore };
  return {
    adapters: {
      ...{ ...kube.adapters, ...aws.adapters, ...gcp.adapters, ...minio.adapters, ...http.adapters },
      ...files.adapters,
      ...createMailDoors(),
      'stores.check': (store, signal) => checks[store.category](store, signal),
    },
    lookups: kube.lookups,
    contexts: { aws: aws.context, k8snode: kube.nodes },
    policyProblem: kube.policyProblem,
    endpointProblem: http.problemOf,
    init: new Map([
      ['kubernetes', kube.init],
      ['aws', aws.init],
      ['gcp', gcp.init],
      ['minio', minio.init],
    ]),
    close: async () => {
      await Promise.all([kube.close(), aws.close(), gcp.close(), minio.close(), http.close()]);
    },
  };
}

/** In small letters first, as most programs have it. */
function proxiesOf(env: Environment): Proxies {
  return {
    http: withScheme(env.http_proxy || env.HTTP_PROXY || ''),
    https: withScheme(env.https_proxy || env.HTTPS_PROXY || ''),
    none: env.no_proxy || env.NO_PROXY,
  };
}

function kubeSettings({ kubeconfig, captures, network_policies }: Settings, env: Environment): KubeSettings {
  return {
    kubeconfig,
    serviceHost: env.KUBERNETES_SERVICE_HOST,
    servicePort: env.KUBERNETES_SERVICE_PORT,
    podName: env.POD_NAME,
    protectedCidrs: network_policies.protected_cidrs,
    captures: { images: imagesOf(captures.images), namespace: captures.namespace || undefined },
  };
}

/** `image=other image`, each a line of the setting. */
function imagesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const [, from, to] = /^([^=\s]+)=([^=\s]+)$/.exec(line.trim()) ?? [];
      if (from && to) return [from, to];
      throw new TalonError('config', `'captures.images' has '${line}', which is not of the form image=image`);
    }),
  );
}

const NO_SPOOL: ArtifactSpool = {
  write: () => Promise.reject(new DoorError('refused', 'artifacts cannot be made here')),
  read: () => {
    throw new DoorError('refused', 'there are no artifacts here');
  },
};
