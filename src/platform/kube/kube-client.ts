import {
  AppsV1Api,
  BatchV1Api,
  type Configuration,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  HttpMethod,
  type KubeConfig,
  NetworkingV1Api,
  PatchStrategy,
  RequestContext,
  ServerConfiguration,
  setHeaderOptions,
  type V1Node,
  type V1Pod,
  type V1PodList,
  type V1ReplicaSet,
} from '@kubernetes/client-node';
import { ApiPresence } from './api-presence.ts';
import { type KubeSettings, loadKubeConfig } from './kube-config.ts';
import { Credentials } from './kube-credentials.ts';
import { exchange, kubeTransport } from './kube-transport.ts';
import { openWatch, type WatchedChange } from './kube-watch.ts';

/**
 * The requests to the Kubernetes API that Talon makes; each throws a DoorError for anything but a good answer. Everything
 * on disk was read and checked when the client was opened; nothing was sent then.
 */
export interface KubeClient {
  /** The parts of the API for whatever has no function of its own here; each request takes what `sent` makes. */
  readonly apis: KubeApis;
  /** How a request is sent that ends with the signal; a patch goes out as a merge patch unless another type is given. */
  readonly sent: (signal: AbortSignal, patch?: PatchStrategy) => SentBy;
  /** Cluster and credentials, for what is no plain request. */
  readonly config: KubeConfig;
  /** Whether it answers, as all requests know it. */
  readonly presence: ApiPresence;
  readonly readPod: (pod: ObjectName, signal: AbortSignal) => Promise<V1Pod>;
  readonly readNode: (name: string, signal: AbortSignal) => Promise<V1Node>;
  readonly readReplicaSet: (replicaSet: ObjectName, signal: AbortSignal) => Promise<V1ReplicaSet>;
  /** A page of the pods on a node: their metadata alone. `after` is the end of the page before. */
  readonly listPodsOfNode: (node: string, after: string | undefined, signal: AbortSignal) => Promise<V1PodList>;
  /** A merge patch: a null removes, what is not named stays. */
  readonly mergePod: (pod: ObjectName, patch: object, signal: AbortSignal) => Promise<void>;
  readonly mergeNode: (name: string, patch: object, signal: AbortSignal) => Promise<void>;
  readonly deletePod: (pod: ObjectName, options: DeleteOptions, signal: AbortSignal) => Promise<void>;
  /** Within the disruption budgets, and with the pod's own grace period. Another pod of the same name stays. */
  readonly evictPod: (pod: ObjectName, uid: string, signal: AbortSignal) => Promise<void>;
  /**
   * The changes of the pods of a namespace after a resource version; from the present state on where that is empty. Resolves
   * when the watch is open. The server ends it from time to time; then the iteration ends.
   */
  readonly watchPods: (
    namespace: string,
    resourceVersion: string,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<WatchedChange>>;
  /** Deletes an object of any kind by its path, which may have a query. Returns what the API server says of it. */
  readonly deleteAt: (path: string, options: object, signal: AbortSignal) => Promise<unknown>;
  /** Ends idle connections and watches, and the others when their requests are done. */
  readonly close: () => Promise<void>;
}

export interface KubeApis {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly networking: NetworkingV1Api;
  readonly custom: CustomObjectsApi;
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

const CONNECTIONS = 64;
/** Watches have connections of their own: they would keep them from other requests. */
const WATCHES = 256;
const PAGE = 250;

/** Names, owners and annotations are all that is asked of the pods of a node; their specs would be most of the answer. */
const METADATA_ALONE = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

/** @throws TalonError of code `actionners` when the settings name no usable cluster and credentials */
export function openKubeClient(settings: KubeSettings): KubeClient {
  const config = loadKubeConfig(settings);
  const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const { answerTimeout } = settings;
  const credentials = new Credentials(config, { answerTimeout, connections: CONNECTIONS });
  const ofWatches = new Credentials(config, { answerTimeout, connections: WATCHES });
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: credentials },
  });
  const presence = new ApiPresence();
  const carried: Carried = (signal, patch) => ({ httpApi: kubeTransport(presence, signal, patch) });
  return {
    apis: {
      core: new CoreV1Api(configuration),
      apps: new AppsV1Api(configuration),
      batch: new BatchV1Api(configuration),
      networking: new NetworkingV1Api(configuration),
      custom: new CustomObjectsApi(configuration),
    },
    sent: (signal, patch = PatchStrategy.MergePatch) => carried(signal, patch),
    config,
    presence,
    ...podRequests(configuration, carried),
    ...otherRequests(configuration, carried),
    watchPods: async (namespace, resourceVersion, signal) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
      const context = new RequestContext(`${server}${path}`, HttpMethod.GET);
      await ofWatches.applySecurityAuthentication(context);
      return openWatch(context, resourceVersion, presence, signal);
    },
    deleteAt: async (path, options, signal) => {
      const context = new RequestContext(`${server}${path}`, HttpMethod.DELETE);
      context.setHeaderParam('Content-Type', 'application/json');
      context.setBody(JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', ...options }));
      await credentials.applySecurityAuthentication(context);
      return (await exchange(context, presence, signal)).body.text().then(JSON.parse);
    },
    close: async () => {
      await Promise.all([credentials.close(), ofWatches.destroy()]);
    },
  };
}

/** The options of a request. */
export type SentBy = ReturnType<typeof setHeaderOptions>;

/** How a request is sent. */
type Carried = (signal: AbortSignal, patch?: PatchStrategy) => { readonly httpApi: ReturnType<typeof kubeTransport> };

function podRequests(
  configuration: Configuration,
  carried: Carried,
): Pick<KubeClient, 'readPod' | 'listPodsOfNode' | 'mergePod' | 'deletePod' | 'evictPod'> {
  const core = new CoreV1Api(configuration);
  return {
    readPod: ({ name, namespace }, signal) => core.readNamespacedPod({ name, namespace }, carried(signal)),
    listPodsOfNode: (node, after, signal) =>
      core.listPodForAllNamespaces(
        { fieldSelector: `spec.nodeName=${node}`, limit: PAGE, ...(after && { _continue: after }) },
        setHeaderOptions('Accept', METADATA_ALONE, carried(signal)),
      ),
    mergePod: async ({ name, namespace }, body, signal) => {
      await core.patchNamespacedPod({ name, namespace, body }, merging(carried(signal)));
    },
    deletePod: async ({ name, namespace }, { gracePeriodSeconds, uid }, signal) => {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, preconditions: { uid } };
      await core.deleteNamespacedPod({ name, namespace, body }, carried(signal));
    },
    evictPod: async ({ name, namespace }, uid, signal) => {
      const deleteOptions = { preconditions: { uid } };
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
      await core.createNamespacedPodEviction({ name, namespace, body }, carried(signal));
    },
  };
}

function otherRequests(
  configuration: Configuration,
  carried: Carried,
): Pick<KubeClient, 'readNode' | 'readReplicaSet' | 'mergeNode'> {
  const core = new CoreV1Api(configuration);
  const apps = new AppsV1Api(configuration);
  return {
    readNode: (name, signal) => core.readNode({ name }, carried(signal)),
    readReplicaSet: ({ name, namespace }, signal) =>
      apps.readNamespacedReplicaSet({ name, namespace }, carried(signal)),
    mergeNode: async (name, body, signal) => {
      await core.patchNode({ name, body }, merging(carried(signal)));
    },
  };
}

/** The patch goes out as JSON patch unless it is told otherwise. */
function merging(sent: ReturnType<Carried>) {
  return setHeaderOptions('Content-Type', PatchStrategy.MergePatch, sent);
}
