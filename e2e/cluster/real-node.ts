import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentPath } from '../components/catalog.ts';
import { debianFolders, debianProgram } from '../components/debian.ts';
import { type IMAGES, images } from '../components/images.ts';
import { preparedFolder } from '../components/prepare-folder.ts';
import { registryCommand } from '../components/registry.ts';
import { type ControlPlane, isReady } from './control-plane.ts';
import { type KeptProcess, lastLines } from './kept-process.ts';
import type { KubeApi } from './kube-api.ts';
import { NODE_ADDRESS, type RealSurroundings } from './real-surroundings.ts';
import { waitUntil } from './wait-until.ts';

/** The name of the node. */
export const REAL_NODE = 'real-0';

/** containerd takes 127.0.0.1 for a registry that speaks plain HTTP. The network is the node's own, so the port is free. */
const REGISTRY_PORT = 5000;

/** What pods name in `image`. */
export function image(name: (typeof IMAGES)[number]): string {
  return `127.0.0.1:${REGISTRY_PORT}/${name}:1`;
}

/**
 * Starts a registry with the images and containerd, which need no API server. They run in the surroundings and end with
 * them. `socket` is where containerd listens.
 */
export function startRuntime(surroundings: RealSurroundings): { readonly socket: string } {
  const folder = join(surroundings.folder, 'containerd');
  mkdirSync(join(folder, 'net.d'), { recursive: true });
  const store = preparedFolder(images);
  const registryConfig = join(surroundings.folder, 'registry.json');
  surroundings.start('registry', registryCommand(registryConfig, store, REGISTRY_PORT, { readOnly: true }));
  writeFileSync(join(folder, 'net.d', '10-pods.conflist'), JSON.stringify(podNetwork(join(folder, 'ipam'))));
  const config = join(folder, 'config.toml');
  writeFileSync(config, containerdConfig(folder));
  const { path, libraries } = debianFolders();
  const env = { PATH: `${path}:${process.env.PATH}`, LD_LIBRARY_PATH: libraries };
  surroundings.start('containerd', [debianProgram('containerd'), '--config', config], env);
  return { socket: join(folder, 'containerd.sock') };
}

/** Writes what the kubelet is configured by, and returns the command that runs it. */
export function kubeletCommand(surroundings: RealSurroundings, plane: ControlPlane, socket: string): readonly string[] {
  const folder = join(surroundings.folder, 'kubelet');
  mkdirSync(folder);
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify(kubeletConfig(folder, plane, socket, surroundings.cgroup)));
  return [
    componentPath('kubelet'),
    ...[`--config=${config}`, `--kubeconfig=${plane.kubeconfigOf('kubelet')}`, `--root-dir=${join(folder, 'root')}`],
    ...[`--hostname-override=${REAL_NODE}`, `--node-ip=${NODE_ADDRESS}`, `--cert-dir=${join(folder, 'pki')}`],
  ];
}

/** Waits until the node is ready; throws with what the kubelet said when it ends instead. */
export async function untilNodeReady(kubelet: KeptProcess, api: KubeApi): Promise<void> {
  await waitUntil('the real node to be ready', () => isNodeReady(kubelet, api), {
    timeout: 60_000,
    describe: () => `last lines of the kubelet:\n${lastLines(kubelet)}`,
  });
}

async function isNodeReady(kubelet: KeptProcess, api: KubeApi): Promise<boolean> {
  if (!kubelet.running()) throw new Error(`the kubelet ended at once; its last lines:\n${lastLines(kubelet)}`);
  const node = await api.find(`/api/v1/nodes/${REAL_NODE}`);
  return node !== undefined && isReady(node);
}

/** Pods have a bridge of their own. No port of a pod is mapped and no address translated, so there is no need for iptables. */
function podNetwork(dataDir: string): unknown {
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: '10.214.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  return { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
}

function containerdConfig(folder: string): string {
  // A string in JSON is one in TOML.
  const text = (value: string) => JSON.stringify(value);
  return `
version = 2
# Memory, where containers can be laid over their images whatever the disk of the machine is.
root = "/run/containerd-root"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = ${text(join(folder, 'containerd.sock'))}
[plugins."io.containerd.grpc.v1.cri"]
  # A container of CI may not make itself less likely to be killed than it is.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  sandbox_image = ${text(image('app'))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(debianFolders().cni)}
    conf_dir = ${text(join(folder, 'net.d'))}
`;
}

function kubeletConfig(folder: string, { authority }: ControlPlane, socket: string, cgroup: string): unknown {
  const serving = authority.issue('kubelet-serving', { commonName: REAL_NODE, altNames: [`IP:${NODE_ADDRESS}`] });
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    healthzPort: 0,
    tlsCertFile: serving.certFile,
    tlsPrivateKeyFile: serving.keyFile,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: authority.pair.certFile },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socket}`,
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    resolvConf: '',
    // The node is a guest of the machine: it shares its memory, disk and cgroups, and reckons with none of them.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    localStorageCapacityIsolation: false,
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%', 'memory.available': '0%' },
    nodeStatusUpdateFrequency: '1s',
    syncFrequency: '1s',
  };
}
