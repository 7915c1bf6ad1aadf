import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { WITH_PLUGINS } from './run-program.ts';
import { isResult, type LogLine } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** The actionner `once` is not idempotent, `label` is. Alerts are named as the pod that they are about. */
const RULES = `
- action: Stamp
  actionner: test:once
  parameters: {labels: {stamped: "true"}}
- action: Label afterwards
  actionner: kubernetes:label
  parameters: {labels: {after: "true"}}

- rule: Stamp once
  match: {rules: [once]}
  actions:
    - action: Stamp
    - action: Label afterwards
- rule: Stamp once, and go on
  match: {rules: [tolerant]}
  actions:
    - action: Stamp
      ignore_errors: true
    - action: Label afterwards
- rule: Stamp in any case
  match: {rules: [again]}
  actions:
    - action: Stamp
      on_interrupt: retry
    - action: Label afterwards
- rule: Label
  match: {rules: [idempotent]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {stamped: "true"}}
    - action: Label afterwards
- rule: Stamp and wait
  match: {rules: [made]}
  actions:
    - action: Stamp
      parameters: {linger: 4}
    - action: Label afterwards
`;

const HELD = ['once', 'tolerant', 'again', 'idempotent'];

/** One server with five plans, killed while four effects are under way and the fifth is made, and the server after it. */
describe('a kill in the middle of an effect', () => {
  const cluster = useCluster({ workloads: false });
  let namespace: TestNamespace;
  let home: TalonHome;
  const traces = new Map<string, string>();
  let lines: readonly LogLine[];

  beforeAll(async () => {
    namespace = await cluster.namespace('interrupted');
    for (const pod of [...HELD, 'made']) await namespace.pod(pod, { run: false });
    const held = new Set<string>();
    const hold = (pod: string) => {
      held.add(pod);
      return new Promise<never>(() => undefined);
    };
    const hook = await interpose(cluster, namespace, 'UPDATE', hold, { only: HELD });
    home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), program: WITH_PLUGINS });
    const talon = await home.start();
    const post = async (pod: string) => traces.set(pod, await talon.post(podAlert(pod, namespace.name, pod)));
    await Promise.all(HELD.map(post));
    await waitUntil('the effects to be under way', () => held.size === HELD.length);
    await post('made');
    await waitUntil('the effect that is made', () => namespace.labels('made'));
    // Its answer has to reach the journal.
    await sleep(500);
    await talon.stop('KILL');
    await hook.close();
    expect(talon.lines.filter(isResult)).toEqual([]);

    const again = await home.start();
    await home.untilDone();
    expect(await again.stop()).toBe(0);
    lines = again.lines;
  });
  afterAll(() => home?.remove());

  it.each([
    ['ends an action as failed that must not be done twice', 'once', 1, ['Stamp failure'], undefined],
    [
      'goes on behind it where the rule ignores errors',
      'tolerant',
      1,
      ['Stamp failure', 'Label afterwards success'],
      { after: 'true' },
    ],
    [
      'makes it again where the rule says so',
      'again',
      2,
      ['Stamp success', 'Label afterwards success'],
      { after: 'true', stamped: 'true' },
    ],
    [
      'makes it again where that does no harm',
      'idempotent',
      2,
      ['Label success', 'Label afterwards success'],
      { after: 'true', stamped: 'true' },
    ],
    [
      'takes an effect that was made for made',
      'made',
      1,
      ['Stamp success', 'Label afterwards success'],
      { after: 'true', stamped: 'true' },
    ],
  ])('%s', async (_, pod, requests, ends, labels) => {
    const results = lines.filter((line) => line.trace_id === traces.get(pod) && isResult(line));
    expect(results.map(({ action, status }) => `${action} ${status}`)).toEqual(ends);
    expect(await namespace.labels(pod)).toEqual(labels);
    const stamps = namespace
      .audit()
      .filter(
        ({ objectRef, requestObject }) => objectRef?.name === pod && /stamped/.test(JSON.stringify(requestObject)),
      );
    expect(stamps).toHaveLength(requests);
  });

  it('says that nobody knows whether it happened', async () => {
    const error = lines.find(({ trace_id, status }) => trace_id === traces.get('once') && status === 'failure')?.error;
    console.log(`e2e: a step with an effect in flight at a kill, which must not be made twice, ends so: ${error}`);
    expect(error).toContain('nobody knows whether it happened');
    const failed = (await home.plans('failed', 'dead', 'parked')).map(({ trace_id, state }) => [trace_id, state]);
    expect(failed).toEqual(expect.arrayContaining(['once', 'tolerant'].map((pod) => [traces.get(pod), 'failed'])));
    expect(failed).toHaveLength(2);
  });
});
