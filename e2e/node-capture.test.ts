import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { image, REAL_NODE } from './cluster/real-node.ts';
import { RealPods, WAITING } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { debianFolders, debianProgram } from './components/debian.ts';
import { type Granted, grantedTo, misfits } from './granted-rights.ts';
import { runProgram } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

describe('captures in pods that really run', () => {
  const cluster = useRealCluster();
  let folder: string;
  let pods: RealPods;

  beforeAll(async () => {
    folder = makeScratch();
    mkdirSync(join(folder, 'files'));
    pods = new RealPods(cluster, await cluster.namespace('capture'));
    await pods.start('web', ['httpd', '-f', '-p', '8080', '-h', '/www']);
    await pods.start('client');
  });
  afterAll(() => removeScratch(folder));

  describe('kubernetes:tcpdump', () => {
    let talon: Talon;
    let granted: Granted;
    beforeAll(async () => {
      const text = rules('tcpdump', image('tcpdump'));
      granted = await grantedTo(cluster, 'listener', text);
      talon = await startTalon({ rules: text, kubeconfig: granted.kubeconfig });
    });
    afterAll(() => talon?.stop());

    it('stores the packets of the pod in a form that tcpdump reads', async () => {
      const address = await pods.address('web');
      let listening = true;
      const traffic = (async () => {
        while (listening) {
          await pods.exec('client', ['wget', '-q', '-O', '-', `http://${address}:8080/`]);
          await sleep(200);
        }
      })();
      const action = await talon.result(podAlert('capture', pods.namespace.name, 'web'), { timeout: 60_000 });
      listening = false;
      await traffic;
      expect(action).toMatchObject({
        status: 'success',
        output: "a tcpdump 'tcpdump.pcap' has been created",
        pod: 'web',
        namespace: pods.namespace.name,
      });
      const file = await stored(talon, action, '_tcpdump.pcap');
      const packets = await readPackets(file);
      const client = await pods.address('client');
      expect(packets).toContain(`${client}.`);
      expect(packets).toContain(`${address}.8080: Flags [S]`);
      expect(packets).toContain('GET / HTTP/1.1');
    });

    it('listens in a container that may do no more than that, and ends by itself', async () => {
      const pod = await pods.namespace.find('web');
      const [container] = (pod?.spec?.ephemeralContainers ?? []) as readonly EphemeralContainer[];
      expect(container?.command).toEqual(['sleep', expect.stringMatching(/^\d\d$/)]);
      expect(container?.securityContext).toMatchObject({
        privileged: false,
        runAsUser: 0,
        capabilities: { drop: ['ALL'], add: expect.arrayContaining(['NET_ADMIN', 'NET_RAW']) },
      });
    });

    it('listens twice at the same pod', async () => {
      const alert = podAlert('capture', pods.namespace.name, 'web');
      const both = await Promise.all([1, 2].map(() => talon.result(alert, { timeout: 60_000 })));
      expect(both.map(({ status }) => status)).toEqual(['success', 'success']);
    });

    it('listens in a pod whose own processes may not be root', async () => {
      const securityContext = { runAsNonRoot: true, runAsUser: 1000 };
      await pods.start('modest', WAITING, { securityContext });
      const alert = podAlert('capture', pods.namespace.name, 'modest');
      expect(await talon.result(alert, { timeout: 60_000 })).toMatchObject({ status: 'success' });
    });

    it('says so where the namespace forbids it', async () => {
      const strict = new RealPods(cluster, await cluster.namespace('strict'));
      await cluster.api.mergePatch(`/api/v1/namespaces/${strict.namespace.name}`, {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
      });
      await strict.start('web');
      const { status, error } = await talon.result(podAlert('capture', strict.namespace.name, 'web'));
      expect(status).toBe('failure');
      expect(error).toContain('violates PodSecurity');
    });

    it('fails where the image is not there', async () => {
      const alert = podAlert('capture with a wrong image', pods.namespace.name, 'client');
      const { status, error } = await talon.result(alert, { timeout: 60_000 });
      expect(status).toBe('failure');
      expect(error).toContain('ephemeral container for the tcpdump not ready in the pod');
    });

    it('takes no more rights than it names, and names no more than it takes', () => {
      expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
    });
  });

  describe('kubernetes:sysdig', () => {
    let talon: Talon;
    let granted: Granted;
    beforeAll(async () => {
      const text = rules('sysdig', image('sysdig-stand-in'));
      granted = await grantedTo(cluster, 'tracer', text);
      const env = { POD_NAMESPACE: pods.namespace.name };
      talon = await startTalon({ rules: text, kubeconfig: granted.kubeconfig, env });
    });
    afterAll(() => talon?.stop());

    it('stores what the program wrote in a job on the node of the pod, and removes the job', async () => {
      const action = await talon.result(podAlert('capture', pods.namespace.name, 'web'), { timeout: 60_000 });
      expect(action).toMatchObject({
        status: 'success',
        output: "a sysdig capture 'sysdig.scap.gz' has been created",
        pod: 'web',
        namespace: pods.namespace.name,
      });
      expect(action.job).toMatch(/^falco-talon-sysdig-[0-9a-f]+$/);
      const content = gunzipSync(readFileSync(await stored(talon, action, '_sysdig.scap.gz'))).toString();
      const web = await pods.namespace.find('web');
      const [status] = (web?.status?.containerStatuses ?? []) as readonly { readonly containerID: string }[];
      const id = status!.containerID.replace('containerd://', '').slice(0, 12);
      expect(content).toContain(id);
      expect(content).toContain('argument: -M\nargument: 2\n');
      const [job] = granted
        .audit()
        .filter(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === 'jobs');
      expect(JSON.stringify(job?.requestObject)).toContain(`"nodeName":"${REAL_NODE}"`);
      await waitUntil('the job and its pod to be gone', async () => {
        const jobs = await cluster.api.list('/apis/batch/v1/jobs');
        const left = await cluster.api.list('/api/v1/pods?labelSelector=batch.kubernetes.io/job-name');
        return jobs.length === 0 && left.length === 0;
      });
    });

    it('takes no more rights than it names, and names no more than it takes', () => {
      expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
    });
  });

  function rules(actionner: string, imageName: string): string {
    const output = { target: 'local:file', parameters: { destination: join(folder, 'files') } };
    const acting = (name: string, parameters: Readonly<Record<string, unknown>>) => ({
      rule: name,
      match: { rules: [name] },
      actions: [
        { action: name, actionner: `kubernetes:${actionner}`, parameters: { duration: 2, ...parameters }, output },
      ],
    });
    return JSON.stringify([
      acting('capture', { image: imageName }),
      acting('capture with a wrong image', { image: `${imageName}-absent` }),
    ]);
  }

  /** Waits until the artifact of an action is stored, and returns its file. */
  async function stored(talon: Talon, { trace_id = '' }: LogLine, ending: string): Promise<string> {
    const output = await talon.line({ message: 'output', trace_id, status: /success|failure/ });
    expect(output).toMatchObject({ status: 'success' });
    const [name = ''] = readdirSync(join(folder, 'files')).filter((each) => each.endsWith(ending));
    return join(folder, 'files', name);
  }

  async function readPackets(file: string): Promise<string> {
    const env = { LD_LIBRARY_PATH: debianFolders().libraries };
    const read = await runProgram([debianProgram('tcpdump'), '-Z', 'root', '-n', '-A', '-r', file], folder, env);
    if (read.code !== 0) throw new Error(`tcpdump cannot read ${file}: ${read.stderr}`);
    return read.stdout;
  }
});

interface EphemeralContainer {
  readonly command: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
}
