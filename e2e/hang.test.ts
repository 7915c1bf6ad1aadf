import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { LabelTimes } from './label-times.ts';
import { median, percentile } from './percentile.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const ROUNDS = 4;
const ALERTS = 200;
const PODS = Array.from({ length: 20 }, (_, index) => `pod-${index}`);
const HUNG = 'hung';
/** Milliseconds between alerts: far below what the server can do, so that times and not queues are compared. */
const PACE = 20;

const cluster = useCluster({ workloads: false });
const times = new LabelTimes();
let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await cluster.namespace('hang');
  await Promise.all([...PODS, HUNG].map((pod) => namespace.pod(pod, { run: false })));
  await times.watch(namespace);
});
afterAll(() => times.end());

/**
 * Two servers get the same alerts turn by turn, so that whatever else the machine does disturbs both alike. One of them has
 * to do with the pod whose action never ends, the other one does not.
 */
it('keeps the time to action of all other targets while the action of one hangs', async () => {
  let hanging = 0;
  const never = () => {
    hanging += 1;
    return new Promise<never>(() => undefined);
  };
  const hook = await interpose(cluster, namespace, 'UPDATE', never, { only: [HUNG] });
  const kubeconfig = cluster.kubeconfig();
  const disturbed = await startTalon({ rules: rules('disturbed'), kubeconfig });
  const undisturbed = await startTalon({ rules: rules('undisturbed'), kubeconfig });
  await Promise.all([run(disturbed, 'disturbed', 'warm', 0), run(undisturbed, 'undisturbed', 'warm', 1)]);
  for (let n = 0; n < 20; n += 1) await disturbed.post(podAlert('hang', namespace.name, HUNG));
  await waitUntil('the action to hang', () => hanging > 0);

  const all = { disturbed: [] as number[], undisturbed: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const [hung, free] = await Promise.all([
      run(disturbed, 'disturbed', `round-${round}`, round % 2),
      run(undisturbed, 'undisturbed', `round-${round}`, 1 - (round % 2)),
    ]);
    all.disturbed.push(...hung);
    all.undisturbed.push(...free);
  }
  const figure = (values: readonly number[]) =>
    `p99 ${percentile(values, 0.99).toFixed(1)} ms (median ${median(values).toFixed(1)} ms)`;
  const ratio = percentile(all.disturbed, 0.99) / percentile(all.undisturbed, 0.99);
  console.log(
    `e2e: one target hangs, ${all.disturbed.length} alerts about others: time to action ${figure(all.disturbed)}, ` +
      `undisturbed ${figure(all.undisturbed)}, ratio of p99 ${ratio.toFixed(2)}, goal 1.5`,
  );
  expect(disturbed.lines.some(({ pod, status }) => pod === HUNG && status === 'success')).toBe(false);
  await hook.close();
  await Promise.all([disturbed.stop(), undisturbed.stop()]);
  expect(ratio).toBeLessThan(1.5);
});

/** A rule for each value of the label, so that each alert about a pod has its own; and one for the pod that hangs. */
function rules(label: string): string {
  const rounds = ['warm', ...Array.from({ length: ROUNDS }, (_, round) => `round-${round}`)];
  const values = rounds.flatMap((round) =>
    Array.from({ length: ALERTS / PODS.length }, (_, n) => ({
      name: `${label} ${round}-${n}`,
      value: `${round}-${n}`,
    })),
  );
  return [...values, { name: 'hang', value: 'hung' }]
    .map(({ name, value }) => {
      const parameters = { labels: { [label]: value } };
      const actions = [{ action: label, actionner: 'kubernetes:label', parameters }];
      return `- ${JSON.stringify({ rule: name, match: { rules: [name] }, actions })}\n`;
    })
    .join('');
}

/**
 * Sends the alerts of a round at an even pace; gives the milliseconds from each alert to its label.
 *
 * @param turn 1 begins half a pace after 0, so that two servers get their alerts in turns
 */
async function run(talon: Talon, label: string, round: string, turn: number): Promise<readonly number[]> {
  await sleep((turn * PACE) / 2);
  const pending: Promise<number>[] = [];
  for (let n = 0; n < ALERTS; n += 1) {
    const pod = PODS[n % PODS.length]!;
    const value = `${round}-${Math.floor(n / PODS.length)}`;
    const start = performance.now();
    const body = podAlert(`${label} ${value}`, namespace.name, pod);
    pending.push(talon.post(body).then(async () => (await times.until(pod, label, value)) - start));
    await sleep(PACE);
  }
  return Promise.all(pending);
}
