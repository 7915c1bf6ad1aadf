import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { bufferFromFileOrString, type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { TalonError } from '../../model/talon-error.ts';

/** Where the API server is and who Talon is to it. */
export interface KubeSettings {
  /** Path of a kubeconfig file, of which the current context counts. Empty: the service account of Talon's own pod. */
  readonly kubeconfig: string;
  /** The variables `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which a pod is given. */
  readonly serviceHost?: string | undefined;
  readonly servicePort?: string | undefined;
  /** Folder of the service account's token and certificate, if not the usual one. */
  readonly serviceAccountFolder?: string;
  /** Name of the pod that Talon runs in (`POD_NAME`, or else the host's name, which is the same); nothing outside of one. */
  readonly podName?: string | undefined;
  /** Milliseconds until a request without an answer fails, if not 15,000. */
  readonly answerTimeout?: number;
  /** Networks that no policy is to deny, beside those that none ever does: of nodes, services, name servers. With a mask. */
  readonly protectedCidrs?: readonly string[];
  readonly captures?: CaptureSettings;
}

/** How captures are made. */
export interface CaptureSettings {
  /** Images to take in the place of others: those of a mirror, or one by its digest in the place of one by its tag. */
  readonly images?: ReadonlyMap<string, string>;
  /** Where the jobs of captures on nodes run, if not in Talon's own namespace. */
  readonly namespace?: string | undefined;
  /** Milliseconds until a container that does not run fails, if not 20,000 in a pod and 80,000 on a node. */
  readonly readyTimeout?: number;
}

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster and the credentials that the settings name, read from disk and checked as far as that goes without a call.
 *
 * @throws TalonError of code `actionners`, Falco Talon's text where that is fixed; never with a secret in it
 */
export function loadKubeConfig(settings: KubeSettings): KubeConfig {
  const config = settings.kubeconfig === '' ? loadInCluster(settings) : loadFile(expandHome(settings.kubeconfig));
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster?.server || !user) {
    throw unusable(`the current context of the kubeconfig ${settings.kubeconfig} names no cluster or no user`);
  }
  if (!URL.canParse(cluster.server) || !/^https?:/i.test(cluster.server)) {
    throw unusable(`the server that the kubeconfig ${settings.kubeconfig} names is no URL with https or http`);
  }
  if (cluster.proxyUrl?.startsWith('socks')) {
    throw unusable('the kubeconfig names a SOCKS proxy, which is not supported: use an HTTP proxy');
  }
  // Nothing to verify, and client-node insists on being told so.
  if (cluster.server.startsWith('http:')) config.clusters = [{ ...cluster, skipTLSVerify: true }];
  checkCertificates(cluster, user);
  return config;
}

/** The pod that Talon itself runs in, where the settings name it and a service account says in which namespace. */
export function ownPod({
  podName,
  serviceAccountFolder: folder = SERVICE_ACCOUNT_FOLDER,
}: KubeSettings): { readonly name: string; readonly namespace: string } | undefined {
  if (!podName) return undefined;
  try {
    return { name: podName, namespace: readFileSync(path.join(folder, 'namespace'), 'utf8').trim() };
  } catch {
    return undefined;
  }
}

function loadFile(file: string): KubeConfig {
  readText(file);
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw unusable(`error loading the kubeconfig ${file}: ${reasonOf(error)}`);
  }
  return config;
}

function loadInCluster({
  serviceHost: host,
  servicePort: port,
  serviceAccountFolder: folder = SERVICE_ACCOUNT_FOLDER,
}: KubeSettings): KubeConfig {
  if (!host || !port) {
    throw unusable(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
  }
  const tokenFile = path.join(folder, 'token');
  const caFile = path.join(folder, 'ca.crt');
  readText(tokenFile);
  readText(caFile);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: 'in-cluster',
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      caFile,
      skipTLSVerify: false,
    },
    // The token is renewed by the kubelet; client-node reads the file again every minute.
    { name: 'in-cluster', authProvider: { name: 'tokenFile', config: { tokenFile } } },
  );
  return config;
}

function expandHome(file: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(homedir(), file.slice(1)) : file;
}

/** Finds out now, and not at the first incident, whether the certificates and the key can be used. */
function checkCertificates(cluster: Cluster, user: User): void {
  try {
    const ca = bufferFromFileOrString(cluster.caFile, cluster.caData);
    const cert = bufferFromFileOrString(user.certFile, user.certData);
    const key = bufferFromFileOrString(user.keyFile, user.keyData);
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  } catch (error) {
    throw unusable(`the certificates for the Kubernetes API can't be used: ${reasonOf(error)}`);
  }
}

function readText(file: string): void {
  try {
    readFileSync(file);
  } catch (error) {
    throw unusable(reasonOf(error));
  }
}

/** What went wrong, without the piece of the file that YAML errors show: there may be a token in it. */
function reasonOf(error: unknown): string {
  const { code, path: file, reason, message } = error as NodeJS.ErrnoException & { reason?: string };
  if (code === 'ENOENT') return `open ${file}: no such file or directory`;
  if (code === 'EACCES') return `open ${file}: permission denied`;
  return reason ?? message;
}

function unusable(message: string): TalonError {
  return new TalonError('actionners', message);
}
