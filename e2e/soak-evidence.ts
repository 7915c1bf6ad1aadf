import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NumberedAlert } from './numbered-alerts.ts';
import type { SoakReceivers } from './soak-receivers.ts';

/** An action that keeps an answer which tells the alert, in a file of the folder. */
export function keepAction(number: number, { endpoint }: SoakReceivers, destination: string) {
  return {
    action: 'keep',
    actionner: 'webhook:call',
    parameters: { url: `http://${endpoint}/call`, body: `{"pod":"\${K8S_POD_NAME}","number":${number}}` },
    on_interrupt: 'retry',
    output: { target: 'local:file', parameters: { destination } },
  };
}

/** Alerts of which no answer was kept, and answers that were kept more often than once. */
export function evidenceFaults(answered: readonly NumberedAlert[], folder: string): readonly string[] {
  const kept = new Map<string, number>();
  // What begins with a dot was being written when the server was killed.
  for (const name of readdirSync(folder).filter((each) => !each.startsWith('.'))) {
    const [told = ''] = readFileSync(join(folder, name), 'utf8').split(' ');
    kept.set(told, (kept.get(told) ?? 0) + 1);
  }
  const lost = answered.filter(({ pod, number }) => !kept.has(JSON.stringify({ pod, number })));
  return [
    ...lost.map(({ pod, number }) => `nothing kept of ${pod} ${number}`),
    ...[...kept].flatMap(([told, count]) => (count > 1 ? [`kept ${count} times: ${told}`] : [])),
  ];
}
