import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentPath } from '../components/catalog.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import { CertificateAuthority, type KeyPair } from './certificates.ts';
import { freePort } from './free-port.ts';
import { type KeptProcess, lastLines, startKept } from './kept-process.ts';
import { KubeApi, type KubeCredentials } from './kube-api.ts';
import { kubeconfig } from './kubeconfig.ts';
import { waitUntil } from './wait-until.ts';

/** The fake nodes that pods may be bound to; there is no scheduler. */
export const NODES = ['node-0', 'node-1'] as const;

/** The controllers that the tests need: owners of pods, jobs, and what cleans up after them. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
  'job-controller',
  'garbage-collector-controller',
  'namespace-controller',
];

/** What a test needs to know of a running cluster. Plain data, so that it can cross from one process to another. */
export interface ClusterAddress {
  readonly server: string;
  readonly auditLog: string;
  readonly admin: KubeCredentials;
  /** The user `talon`, with a client certificate and no rights of its own. */
  readonly talon: KubeCredentials;
  /** A serving certificate for 127.0.0.1 by the cluster's authority. */
  readonly loopback: { readonly cert: string; readonly key: string };
}

/** A control plane on 127.0.0.1 in a temporary folder. */
export interface ControlPlane {
  readonly address: ClusterAddress;
  /** The API server dies as in a crash; nothing listens on its port any more. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Writes a kubeconfig file for a part of the cluster, which may do everything, and returns its path. */
  kubeconfigOf(name: string): string;
  readonly authority: CertificateAuthority;
  /** Ends everything and removes the folder, logs included (see `removeScratch`). */
  stop(): Promise<void>;
}

/** Where a control plane runs when it is not the machine's own network. */
export interface Surroundings {
  /** The command that runs the program given after it there. */
  readonly within: readonly string[];
  /** Makes a port of 127.0.0.1 there reachable for the test run under the same number. */
  expose(port: number): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Elsewhere than on the machine's 127.0.0.1; there are no fake nodes then. */
  readonly surroundings?: Surroundings;
  /** Without workloads there are only etcd and the API server: up sooner, but no pod ever runs. Default true. */
  readonly workloads?: boolean;
}

interface Layout {
  readonly folder: string;
  readonly log: (name: string) => string;
  readonly apiPort: number;
  readonly etcd: string;
  readonly etcdPeer: string;
  readonly authority: CertificateAuthority;
  /** The command that runs the program given after it where the control plane is. */
  readonly within: readonly string[];
}

/** Starts the control plane and waits until it serves. Throws with the last log lines of the part that failed. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { workloads = true, surroundings } = options;
  const folder = makeScratch();
  const layout = await makeLayout(folder, surroundings?.within ?? []);
  const { authority } = layout;
  const server = `https://127.0.0.1:${layout.apiPort}`;
  const credentials = ({ cert, key }: KeyPair) => ({ ca: authority.pair.cert, cert, key });
  const address: ClusterAddress = {
    server,
    auditLog: layout.log('audit'),
    admin: credentials(authority.issue('admin', { commonName: 'admin', organization: 'system:masters' })),
    talon: credentials(authority.issue('talon', { commonName: 'talon' })),
    loopback: authority.issue('loopback', { commonName: 'loopback', altNames: ['IP:127.0.0.1'] }),
  };
  const api = new KubeApi(server, address.admin);
  const processes: KeptProcess[] = [];
  let apiServer: KeptProcess;

  const startApiServer = async () => {
    apiServer = startKept('kube-apiserver', apiServerCommand(layout), { log: layout.log('kube-apiserver') });
    await waitUntilReady(api, apiServer);
  };
  const stop = async () => {
    api.close();
    // The API server goes first: what depends on it then has no time to complain, and etcd is never left without it.
    await Promise.all([...processes, apiServer].map((each) => each.stop('KILL')));
    removeScratch(folder);
  };
  processes.push(startKept('etcd', etcdCommand(layout), { log: layout.log('etcd') }));
  const kubeconfigOf = (name: string) => {
    const file = join(folder, `${name}.kubeconfig`);
    const pair = authority.issue(name, { commonName: name, organization: 'system:masters' });
    writeFileSync(file, kubeconfig(server, credentials(pair)), { mode: 0o600 });
    return file;
  };
  try {
    await surroundings?.expose(layout.apiPort);
    await startApiServer();
    if (workloads) processes.push(startControllers(layout, kubeconfigOf('kube-controller-manager')));
    if (workloads && surroundings === undefined)
      processes.push(await startFakeNodes(layout, kubeconfigOf('kwok'), api));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    authority,
    kubeconfigOf,
    startApiServer,
    stopApiServer: async () => {
      await apiServer.stop('KILL');
    },
    stop,
  };
}

async function makeLayout(folder: string, within: readonly string[]): Promise<Layout> {
  mkdirSync(join(folder, 'pki'));
  mkdirSync(join(folder, 'etcd'), { mode: 0o700 });
  copyFileSync(join(import.meta.dirname, 'audit-policy.yaml'), join(folder, 'audit-policy.yaml'));
  return {
    folder,
    log: (name) => join(folder, `${name}.log`),
    apiPort: await freePort(),
    etcd: `http://127.0.0.1:${await freePort()}`,
    etcdPeer: `http://127.0.0.1:${await freePort()}`,
    authority: new CertificateAuthority(join(folder, 'pki')),
    within,
  };
}

function etcdCommand({ folder, etcd, etcdPeer, within }: Layout): readonly string[] {
  return [
    ...within,
    componentPath('etcd'),
    ...['--name=e2e', `--data-dir=${join(folder, 'etcd')}`, '--unsafe-no-fsync'],
    ...[`--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`],
    ...[`--listen-peer-urls=${etcdPeer}`, `--initial-advertise-peer-urls=${etcdPeer}`],
    `--initial-cluster=e2e=${etcdPeer}`,
  ];
}

function apiServerCommand({ folder, log, apiPort, etcd, authority, within }: Layout): readonly string[] {
  const serving = authority.issue('kube-apiserver', {
    commonName: 'kube-apiserver',
    altNames: ['IP:127.0.0.1', 'DNS:localhost', 'DNS:kubernetes.default.svc'],
  });
  const signing = authority.signingKey('service-accounts');
  const kubelet = authority.issue('kubelet-client', { commonName: 'kube-apiserver', organization: 'system:masters' });
  return [
    ...within,
    componentPath('kube-apiserver'),
    ...[`--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1'],
    ...[`--secure-port=${apiPort}`, `--tls-cert-file=${serving.certFile}`, `--tls-private-key-file=${serving.keyFile}`],
    ...[`--client-ca-file=${authority.pair.certFile}`, '--authorization-mode=RBAC'],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.96.0.0/16'],
    ...[`--service-account-key-file=${signing.publicFile}`],
    ...[`--service-account-signing-key-file=${signing.privateFile}`],
    ...[`--kubelet-certificate-authority=${authority.pair.certFile}`, '--kubelet-preferred-address-types=InternalIP'],
    ...[`--kubelet-client-certificate=${kubelet.certFile}`, `--kubelet-client-key=${kubelet.keyFile}`],
    // What keeps pods from being privileged is pod security, in the namespaces that a test gives it.
    '--allow-privileged',
    // No pod here needs a service account, nobody takes away the taint that new nodes get, and no one needs the address.
    ...['--disable-admission-plugins=ServiceAccount,TaintNodesByCondition', '--endpoint-reconciler-type=none'],
    ...[`--audit-policy-file=${join(folder, 'audit-policy.yaml')}`, `--audit-log-path=${log('audit')}`],
  ];
}

async function waitUntilReady(api: KubeApi, apiServer: KeptProcess): Promise<void> {
  const describe = () => `last lines of kube-apiserver:\n${lastLines(apiServer)}`;
  await waitUntil(
    'the API server to be ready',
    async () => {
      if (!apiServer.running()) throw new Error(`the API server ended at once; ${describe()}`);
      const answer = await api.call('GET', '/readyz').catch(() => undefined);
      return answer?.status === 200;
    },
    { timeout: 60_000, interval: 100, describe },
  );
}

function startControllers({ log, within }: Layout, config: string): KeptProcess {
  const command = [
    componentPath('kube-controller-manager'),
    ...[`--kubeconfig=${config}`, '--leader-elect=false', '--secure-port=0'],
    `--controllers=${CONTROLLERS.join(',')}`,
  ];
  return startKept('kube-controller-manager', [...within, ...command], { log: log('kube-controller-manager') });
}

/** Starts kwok and waits for its nodes. */
async function startFakeNodes({ log }: Layout, config: string, api: KubeApi): Promise<KeptProcess> {
  const command = [
    componentPath('kwok'),
    ...[`--kubeconfig=${config}`, '--manage-all-nodes', '--node-lease-duration-seconds=0'],
    ...['--cidr=10.244.0.0/16', `--config=${join(import.meta.dirname, 'stages.yaml')}`],
  ];
  const kwok = startKept('kwok', command, { log: log('kwok') });
  for (const name of NODES) await api.must('POST', '/api/v1/nodes', { metadata: { name } });
  await waitUntil('the fake nodes to be ready', async () => (await api.list('/api/v1/nodes')).every(isReady), {
    timeout: 30_000,
    describe: () => `last lines of kwok:\n${lastLines(kwok)}`,
  });
  return kwok;
}

/** Whether a node or a pod has the condition `Ready`. */
export function isReady({ status }: { readonly status?: Readonly<Record<string, unknown>> }): boolean {
  const conditions = (status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[];
  return conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
}
