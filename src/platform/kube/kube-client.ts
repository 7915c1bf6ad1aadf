import type { RequestOptions } from 'node:https';
import {
  AppsV1Api,
  CoreV1Api,
  createConfiguration,
  type KubeConfig,
  PatchStrategy,
  type RequestContext,
  ServerConfiguration,
  setHeaderOptions,
  type V1Pod,
  type V1ReplicaSet,
} from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { DoorError } from '../../model/door-error.ts';
import { type KubeSettings, loadKubeConfig } from './kube-config.ts';
import { kubeTransport } from './kube-transport.ts';

/**
 * The requests to the Kubernetes API that Talon makes; each throws a DoorError for anything but a good answer. Everything
 * on disk was read and checked when the client was opened; nothing was sent then.
 */
export interface KubeClient {
  readonly readPod: (pod: ObjectName, signal: AbortSignal) => Promise<V1Pod>;
  readonly readReplicaSet: (replicaSet: ObjectName, signal: AbortSignal) => Promise<V1ReplicaSet>;
  /** A merge patch: a null removes, what is not named stays. */
  readonly mergePod: (pod: ObjectName, patch: object, signal: AbortSignal) => Promise<void>;
  readonly mergeNode: (name: string, patch: object, signal: AbortSignal) => Promise<void>;
  readonly deletePod: (pod: ObjectName, options: DeleteOptions, signal: AbortSignal) => Promise<void>;
  /** Ends idle connections, and the others when their requests are done. */
  readonly close: () => Promise<void>;
}

export interface ObjectName {
  readonly name: string;
  readonly namespace: string;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds: number;
  /** Another object of the same name stays. */
  readonly uid: string;
}

/** Milliseconds. An unreachable server and one that does not answer end a request, whatever the action's deadline is. */
const CONNECT_TIMEOUT = 5_000;
const ANSWER_TIMEOUT = 15_000;
const KEEP_ALIVE = 30_000;
/** Connections that stay open between alerts; more requests than that wait their turn. There is no limit of their rate. */
const CONNECTIONS = 64;

/** @throws TalonError of code `actionners` when the settings name no usable cluster and credentials */
export function openKubeClient(settings: KubeSettings): KubeClient {
  const config = loadKubeConfig(settings);
  const credentials = new Credentials(config, settings.answerTimeout ?? ANSWER_TIMEOUT);
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(config.getCurrentCluster()?.server ?? '', {}),
    authMethods: { default: credentials },
  });
  const core = new CoreV1Api(configuration);
  const apps = new AppsV1Api(configuration);
  return {
    readPod: ({ name, namespace }, signal) => core.readNamespacedPod({ name, namespace }, carried(signal)),
    readReplicaSet: ({ name, namespace }, signal) =>
      apps.readNamespacedReplicaSet({ name, namespace }, carried(signal)),
    mergePod: async ({ name, namespace }, body, signal) => {
      await core.patchNamespacedPod({ name, namespace, body }, merging(signal));
    },
    mergeNode: async (name, body, signal) => {
      await core.patchNode({ name, body }, merging(signal));
    },
    deletePod: async ({ name, namespace }, { gracePeriodSeconds, uid }, signal) => {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, preconditions: { uid } };
      await core.deleteNamespacedPod({ name, namespace, body }, carried(signal));
    },
    close: () => credentials.close(),
  };
}

function carried(signal: AbortSignal) {
  return { httpApi: kubeTransport(signal) };
}

/** The patch goes out as JSON patch unless it is told otherwise. */
function merging(signal: AbortSignal) {
  return setHeaderOptions('Content-Type', PatchStrategy.MergePatch, carried(signal));
}

/**
 * Gives requests their credentials and the connections that belong to them. The connections are kept until certificates
 * change on disk; KubeConfig alone would make new ones for every request.
 */
class Credentials {
  readonly #config: KubeConfig;
  readonly #answerTimeout: number;
  #dispatcher: Dispatcher | undefined;
  #certificates = '';

  constructor(config: KubeConfig, answerTimeout: number) {
    this.#config = config;
    this.#answerTimeout = answerTimeout;
  }

  getName(): string {
    return 'kubeconfig';
  }

  async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DoorError('unreachable', `no credentials for the Kubernetes API: ${reason}`, { cause: error });
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      // A token file may end with a newline.
      context.setHeaderParam(name, String(value).trim());
    }
    if (options.auth) {
      context.setHeaderParam('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
    }
    context.setHeaderParam('User-Agent', 'falco-talon');
    context.setDispatcher(this.#connect(options));
  }

  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  #connect({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Dispatcher {
    const certificates = JSON.stringify([ca, cert, key].map(String));
    if (this.#dispatcher && certificates === this.#certificates) return this.#dispatcher;
    const options = this.#config.createDispatcherOptions(this.#config.getCurrentCluster(), {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(servername && { servername }),
    });
    void this.#dispatcher?.close();
    this.#certificates = certificates;
    this.#dispatcher = newDispatcher(options, this.#answerTimeout);
    return this.#dispatcher;
  }
}

function newDispatcher(options: ReturnType<KubeConfig['createDispatcherOptions']>, answerTimeout: number): Dispatcher {
  const limits = {
    connections: CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    headersTimeout: answerTimeout,
    bodyTimeout: answerTimeout,
  };
  const connectWith = (tls: object) => ({ ...tls, timeout: CONNECT_TIMEOUT }) as buildConnector.BuildOptions;
  switch (options.type) {
    case 'none':
      return new Agent({ ...limits, connect: connectWith({}) });
    case 'agent':
      return new Agent({ ...limits, connect: connectWith(options.connect) });
    case 'proxy':
      return new ProxyAgent({ ...limits, uri: options.uri, requestTls: connectWith(options.requestTls) });
    case 'socks':
      throw new Error('a SOCKS proxy is refused when the kubeconfig is read');
  }
}
