import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { WITH_PLUGINS } from './run-program.ts';
import { isResult } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** The actionner `once` is not idempotent, `label` is. */
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
- rule: Stamp and wait
  match: {rules: [linger]}
  actions:
    - action: Stamp
      parameters: {linger: 3}
    - action: Label afterwards
- rule: Label
  match: {rules: [idempotent]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {stamped: "true"}}
    - action: Label afterwards
`;

const cluster = useCluster({ workloads: false });
let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await cluster.namespace('interrupted');
});

it.each([
  ['once', 1, ['Stamp failure'], undefined],
  ['tolerant', 1, ['Stamp failure', 'Label afterwards success'], { after: 'true' }],
  ['again', 2, ['Stamp success', 'Label afterwards success'], { after: 'true', stamped: 'true' }],
  ['idempotent', 2, ['Label success', 'Label afterwards success'], { after: 'true', stamped: 'true' }],
] as const)('goes on after a kill in the middle of an effect: %s', async (rule, requests, expected, labels) => {
  await namespace.pod(rule, { run: false });
  let isHeld = false;
  const hold = () => {
    isHeld = true;
    return new Promise<never>(() => undefined);
  };
  const hook = await interpose(cluster, namespace, 'UPDATE', hold, { only: rule });
  const home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), program: WITH_PLUGINS });
  const talon = await home.start();
  await talon.post(podAlert(rule, namespace.name, rule));
  await waitUntil('the effect to be under way', () => isHeld);
  await talon.stop('KILL');
  await hook.close();

  const again = await home.start();
  const results = () => again.lines.filter(isResult);
  await waitUntil('the plan to go on', () => results().length === expected.length, {
    describe: () => JSON.stringify(again.lines, undefined, 1),
  });
  expect(results().map(({ action, status }) => `${action} ${status}`)).toEqual(expected);
  const [first] = results();
  if (first?.status === 'failure') {
    expect(first.error).toContain('nobody knows whether it happened');
    console.log(`e2e: a step with an effect in flight at a kill ends so: ${first.error}`);
  }
  expect(await again.stop()).toBe(0);
  expect(await namespace.labels(rule)).toEqual(labels);
  expect(stampsOf(rule)).toHaveLength(requests);
  home.remove();
});

it('takes an effect that was made for made, and goes on behind it', async () => {
  const pod = 'linger';
  await namespace.pod(pod, { run: false });
  const home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), program: WITH_PLUGINS });
  const talon = await home.start();
  await talon.post(podAlert('linger', namespace.name, pod));
  await waitUntil('the effect', () => namespace.labels(pod));
  await sleep(500);
  await talon.stop('KILL');
  expect(talon.lines.filter(isResult)).toEqual([]);

  const again = await home.start();
  const results = () => again.lines.filter(isResult).map(({ action, status }) => `${action} ${status}`);
  await waitUntil('the plan to go on', () => results().length === 2);
  expect(results()).toEqual(['Stamp success', 'Label afterwards success']);
  expect(await again.stop()).toBe(0);
  expect(stampsOf(pod)).toHaveLength(1);
  home.remove();
});

/** The requests that set the label. */
function stampsOf(pod: string) {
  return namespace.audit().filter(({ objectRef, requestObject }) => {
    return objectRef?.name === pod && JSON.stringify(requestObject ?? '').includes('stamped');
  });
}
