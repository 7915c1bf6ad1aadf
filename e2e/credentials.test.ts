import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { TALON_RIGHTS, useCluster } from './cluster/use-cluster.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { refuseTalon, startTalon, type TalonOptions } from './talon-home.ts';

const RULES = `
- rule: Label
  match: {rules: [label]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters:
        labels: {quarantine: "true"}
`;

/**
 * Runs the command given after it as if in a pod: a file system of its own under /var/run, as far as mounts go, with
 * the files that a kubelet would put there. Nothing of it can be seen from outside, and it ends with the command.
 */
const IN_POD = `
mount -t tmpfs tmpfs /var/run
mkdir -p /var/run/secrets/kubernetes.io
cp -r "$0" /var/run/secrets/kubernetes.io/serviceaccount
exec "$@"
`;

describe('credentials', () => {
  const cluster = useCluster({ workloads: false });
  let folder: string;
  let namespace: TestNamespace;
  let token: string;

  beforeAll(async () => {
    folder = makeScratch();
    namespace = await cluster.namespace('credentials');
    token = await namespace.token('talon');
    await cluster.allow({ kind: 'ServiceAccount', name: 'talon', namespace: namespace.name }, TALON_RIGHTS);
  });
  afterAll(() => removeScratch(folder));

  it('acts with the client certificate of a kubeconfig', async () => {
    expect(await whoLabels('certificate', { kubeconfig: cluster.kubeconfig() })).toBe('talon');
  });

  it('acts with the token of a kubeconfig', async () => {
    const { ca } = cluster.plane.address.admin;
    const user = await whoLabels('token', { kubeconfig: cluster.kubeconfig({ ca, token }) });
    expect(user).toBe(`system:serviceaccount:${namespace.name}:talon`);
  });

  it('takes the path of the kubeconfig from the environment', async () => {
    const file = join(folder, 'from-environment');
    writeFileSync(file, cluster.kubeconfig());
    expect(await whoLabels('environment', { env: { KUBECONFIG: file } })).toBe('talon');
  });

  it('expands ~ in the path of the kubeconfig', async () => {
    mkdirSync(join(folder, '.kube'));
    writeFileSync(join(folder, '.kube/config'), cluster.kubeconfig());
    const options = { settings: { kubeconfig: '~/.kube/config' }, env: { HOME: folder } };
    expect(await whoLabels('home', options)).toBe('talon');
  });

  it('acts with the service account of its pod', async () => {
    expect(await whoLabels('in-cluster', inPod())).toBe(`system:serviceaccount:${namespace.name}:talon`);
  });

  it('refuses to run in a pod with leader election, which is the default there, and names the setting', async () => {
    const settings = { deduplication: { time_window_seconds: 0 } };
    const { code, stdout, stderr } = await refuseTalon({ ...inPod(), rules: RULES, settings });
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('leader_election');
  });

  it('refuses to start with neither a kubeconfig nor a pod around it', async () => {
    const { code, stdout } = await refuseTalon({ rules: RULES });
    expect(code).toBe(1);
    expect(stdout).toContain('unable to load in-cluster configuration');
  });

  it('refuses a kubeconfig that is not there or cannot be read, and names it', async () => {
    const absent = join(folder, 'absent');
    const broken = join(folder, 'broken');
    writeFileSync(broken, 'clusters: {not a list');
    for (const kubeconfig of [absent, broken]) {
      const { code, stdout } = await refuseTalon({ rules: RULES, settings: { kubeconfig } });
      expect(code).toBe(1);
      expect(stdout).toContain(kubeconfig);
      expect(stdout).not.toMatch(/^\s+at /m);
    }
  });

  /** Labels a pod with a server started by the options; returns the user that the API server saw. */
  async function whoLabels(pod: string, options: Omit<TalonOptions, 'rules'>): Promise<string | undefined> {
    await namespace.pod(pod, { run: false });
    const talon = await startTalon({ rules: RULES, ...options });
    const result = await talon.result(podAlert('label', namespace.name, pod));
    expect(result).toMatchObject({ status: 'success' });
    expect(await talon.stop()).toBe(0);
    expect(await namespace.labels(pod)).toEqual({ quarantine: 'true' });
    const requests = namespace.audit().filter(({ objectRef }) => objectRef?.name === pod);
    return requests.at(-1)?.user.username;
  }

  function inPod(): Pick<TalonOptions, 'env' | 'within'> {
    const mounted = join(folder, 'serviceaccount');
    mkdirSync(mounted, { recursive: true });
    writeFileSync(join(mounted, 'token'), token);
    writeFileSync(join(mounted, 'ca.crt'), cluster.plane.address.admin.ca);
    writeFileSync(join(mounted, 'namespace'), namespace.name);
    const { hostname, port } = new URL(cluster.plane.address.server);
    return {
      env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      within: ['unshare', '--map-root-user', '--mount', '/bin/sh', '-e', '-c', IN_POD, mounted],
    };
  }
});
