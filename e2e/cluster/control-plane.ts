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

/** The controllers that the tests need: owners of pods, and what cleans up after them. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
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
  /** Ends everything and removes the folder, logs included (see `removeScratch`). */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
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
}

/** Starts the control plane and waits until it serves. Throws with the last log lines of the part that failed. */
export async function startControlPlane({ workloads = true }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const folder = makeScratch();
  const layout = await makeLayout(folder);
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
  try {
    await startApiServer();
    if (workloads) processes.push(...(await startWorkloads(layout, server, api)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    startApiServer,
    stopApiServer: async () => {
      await apiServer.stop('KILL');
    },
    stop,
  };
}

async function makeLayout(folder: string): Promise<Layout> {
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
  };
}

function etcdCommand({ folder, etcd, etcdPeer }: Layout): readonly string[] {
  return [
    componentPath('etcd'),
    ...['--name=e2e', `--data-dir=${join(folder, 'etcd')}`, '--unsafe-no-fsync'],
    ...[`--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`],
    ...[`--listen-peer-urls=${etcdPeer}`, `--initial-advertise-peer-urls=${etcdPeer}`],
    `--initial-cluster=e2e=${etcdPeer}`,
  ];
}

function apiServerCommand({ folder, log, apiPort, etcd, authority }: Layout): readonly string[] {
  const serving = authority.issue('kube-apiserver', {
    commonName: 'kube-apiserver',
    altNames: ['IP:127.0.0.1', 'DNS:localhost', 'DNS:kubernetes.default.svc'],
  });
  const signing = authority.signingKey('service-accounts');
  return [
    componentPath('kube-apiserver'),
    ...[`--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1'],
    ...[`--secure-port=${apiPort}`, `--tls-cert-file=${serving.certFile}`, `--tls-private-key-file=${serving.keyFile}`],
    ...[`--client-ca-file=${authority.pair.certFile}`, '--authorization-mode=RBAC'],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.96.0.0/16'],
    ...[`--service-account-key-file=${signing.publicFile}`],
    ...[`--service-account-signing-key-file=${signing.privateFile}`],
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

async function startWorkloads(layout: Layout, server: string, api: KubeApi): Promise<readonly KeptProcess[]> {
  const { folder, log, authority } = layout;
  const configOf = (name: string, subject: Parameters<CertificateAuthority['issue']>[1]) => {
    const file = join(folder, `${name}.kubeconfig`);
    const { cert, key } = authority.issue(name, subject);
    writeFileSync(file, kubeconfig(server, { ca: authority.pair.cert, cert, key }), { mode: 0o600 });
    return file;
  };
  const manager = configOf('kube-controller-manager', {
    commonName: 'kube-controller-manager',
    organization: 'system:masters',
  });
  const kwok = configOf('kwok', { commonName: 'kwok', organization: 'system:masters' });
  const processes = [
    startKept(
      'kube-controller-manager',
      [
        componentPath('kube-controller-manager'),
        ...[`--kubeconfig=${manager}`, '--leader-elect=false', '--secure-port=0'],
        `--controllers=${CONTROLLERS.join(',')}`,
      ],
      { log: log('kube-controller-manager') },
    ),
    startKept(
      'kwok',
      [
        componentPath('kwok'),
        ...[`--kubeconfig=${kwok}`, '--manage-all-nodes', '--node-lease-duration-seconds=0'],
        ...['--cidr=10.244.0.0/16', `--config=${join(import.meta.dirname, 'stages.yaml')}`],
      ],
      { log: log('kwok') },
    ),
  ];
  for (const name of NODES) await api.must('POST', '/api/v1/nodes', { metadata: { name } });
  await waitUntil('the fake nodes to be ready', async () => (await api.list('/api/v1/nodes')).every(isReady), {
    timeout: 30_000,
    describe: () => processes.map((each) => `last lines of ${each.name}:\n${lastLines(each)}`).join('\n'),
  });
  return processes;
}

function isReady({ status }: { readonly status?: Readonly<Record<string, unknown>> }): boolean {
  const conditions = (status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[];
  return conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
}
