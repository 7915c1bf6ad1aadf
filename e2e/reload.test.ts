import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { ConfigMap } from './config-map.ts';
import { isResult, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** Rules that tell by the labels which set of them acted; the second action shows that a plan keeps its set. */
function rules(version: string): string {
  return `
- rule: Say which rules act (${version})
  match: {rules: [alert]}
  actions:
    - action: First
      actionner: kubernetes:label
      parameters: {labels: {first: ${version}}}
    - action: Second
      actionner: kubernetes:label
      parameters: {labels: {second: ${version}}}
`;
}

describe('rules in a ConfigMap', () => {
  const cluster = useCluster({ workloads: false });
  let home: TalonHome;
  let map: ConfigMap;
  let talon: Talon;
  let namespace: TestNamespace;

  beforeAll(async () => {
    namespace = await cluster.namespace('reload');
    await Promise.all(['held', 'web', 'next', 'broken', 'mended'].map((pod) => namespace.pod(pod, { run: false })));
    home = await TalonHome.make({
      rules: '',
      rulesFile: 'map/rules.yaml',
      kubeconfig: cluster.kubeconfig(),
      settings: { watch_rules: true },
    });
    map = new ConfigMap(join(home.folder, 'map'), { 'rules.yaml': rules('v1') });
    talon = await home.start();
  });
  afterAll(async () => {
    await talon?.stop();
    home?.remove();
  });

  it('are taken up while alerts flow: plans end with the rules that made them, new alerts get the new ones', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const hook = await interpose(
      cluster,
      namespace,
      'UPDATE',
      async () => {
        await held;
        return { allowed: true };
      },
      { only: ['held'] },
    );
    const heldTrace = await talon.post(podAlert('alert', namespace.name, 'held'));
    const flow = new Flow();
    await waitUntil('alerts to flow', () => flow.sent.length > 20);
    map.swap({ 'rules.yaml': rules('v2') });
    const swapped = performance.now();
    await talon.line({ message: 'rules', result: /successfully loaded/ });
    const took = performance.now() - swapped;
    expect(await versionsOf(await talon.post(podAlert('alert', namespace.name, 'next')))).toEqual(['v2', 'v2']);
    release();
    expect(await versionsOf(heldTrace)).toEqual(['v1', 'v1']);
    const sent = await flow.end();
    await hook.close();
    expect(await namespace.labels('held')).toEqual({ first: 'v1', second: 'v1' });
    expect(await namespace.labels('next')).toEqual({ first: 'v2', second: 'v2' });

    const versions: string[] = [];
    for (const traceId of sent) {
      const [first, second] = await versionsOf(traceId);
      expect(first).toBe(second);
      versions.push(first ?? '');
    }
    const old = versions.filter((version) => version === 'v1').length;
    console.log(
      `e2e: rules replaced in a ConfigMap: in effect ${took.toFixed(0)} ms after the swap; of ${versions.length} alerts ` +
        `meanwhile ${old} were handled by the old rules, ${versions.length - old} by the new ones`,
    );
    expect(versions).toEqual([...versions].sort());
    expect(new Set(versions)).toEqual(new Set(['v1', 'v2']));
  });

  it('that are broken are refused: those before stay, and /readyz, log and metric say so', async () => {
    map.swap({ 'rules.yaml': `${rules('v3')}- rule: Broken\n  match: {priority: nonsense}\n  actions: []\n` });
    const readiness = await waitUntil('/readyz to tell of it', async () => {
      const answer = await talon.readiness();
      return answer.text.includes('degraded') && answer;
    });
    expect(readiness.status).toBe(200);
    expect(JSON.parse(readiness.text)).toMatchObject({ status: 'ok', degraded: [expect.stringContaining('rules')] });
    expect(talon.stray.join('\n')).toMatch(/rules\.yaml:\d+:\d+/);
    expect(await versionsOf(await talon.post(podAlert('alert', namespace.name, 'broken')))).toEqual(['v2', 'v2']);
    const page = await (await fetch(`${talon.url}/metrics`)).text();
    console.log(
      `e2e: a broken set: /readyz ${readiness.text.trim()}; metrics ${page.match(/^\w*reloads.*$/gm)?.join(' | ')}`,
    );
    expect(page).toMatch(/^\w*reloads\w*\{.*status="failure"/m);

    map.swap({ 'rules.yaml': rules('v4') });
    await waitUntil('/readyz to be well again', async () => !(await talon.readiness()).text.includes('degraded'));
    expect(await versionsOf(await talon.post(podAlert('alert', namespace.name, 'mended')))).toEqual(['v4', 'v4']);
  });

  it('are read again at SIGHUP, also where nobody watches them', async () => {
    const unwatched = await TalonHome.make({ rules: rules('v1'), kubeconfig: cluster.kubeconfig() });
    const server = await unwatched.start();
    writeFileSync(unwatched.files.rules, rules('v2'));
    await sleep(1_000);
    expect(await versionsOf(await server.post(podAlert('alert', namespace.name, 'web')), server)).toEqual(['v1', 'v1']);
    server.signal('HUP');
    await server.line({ message: 'rules', result: /successfully loaded/ });
    expect(await versionsOf(await server.post(podAlert('alert', namespace.name, 'web')), server)).toEqual(['v2', 'v2']);
    expect(await server.stop()).toBe(0);
    unwatched.remove();
  });

  it('stay as they are for a plan that is older than a restart', async () => {
    const hook = await interpose(cluster, namespace, 'UPDATE', () => new Promise(() => undefined), { only: ['web'] });
    const own = await TalonHome.make({ rules: rules('old'), kubeconfig: cluster.kubeconfig() });
    const before = await own.start();
    const traceId = await before.post(podAlert('alert', namespace.name, 'web'));
    await before.line({ message: 'action', status: 'in_progress' });
    await before.stop('KILL');
    await hook.close();
    writeFileSync(own.files.rules, rules('new'));
    const after = await own.start();
    expect(await versionsOf(traceId, after)).toEqual(['old', 'old']);
    expect(await after.stop()).toBe(0);
    expect(await namespace.labels('web')).toMatchObject({ first: 'old', second: 'old' });
    own.remove();
  });

  /** Which rules the two actions of an alert came from, once both have ended well. */
  async function versionsOf(traceId: string, server = talon): Promise<readonly string[]> {
    return waitUntil('the results of both actions', () => {
      const ends = server.about(traceId).filter((line) => isResult(line) && line.status === 'success');
      return ends.length === 2 && ends.map(({ rule }) => /\((.+)\)/.exec(rule ?? '')?.[1] ?? '');
    });
  }

  /** An alert about the pod `web` each few milliseconds, one after the other. */
  class Flow {
    readonly sent: string[] = [];
    #isOver = false;
    readonly #ended = this.#run();

    async end(): Promise<readonly string[]> {
      this.#isOver = true;
      await this.#ended;
      return this.sent;
    }

    async #run(): Promise<void> {
      while (!this.#isOver) {
        const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': 'web' };
        this.sent.push(await talon.post(alertBody({ rule: 'alert', output: `alert ${this.sent.length}`, fields })));
        await sleep(20);
      }
    }
  }
});
