import { PRIORITIES } from '../../model/priority.ts';
import type { PolicyRule } from '../../model/rule.ts';

const MOST_ALERTS = 16;

/**
 * Alerts made of what rules ask for, from rules spread over the policy: evaluating them runs the code that real alerts will
 * run, so that the first ones are not the slow ones.
 */
export function warmUpAlerts(rules: readonly PolicyRule[]): Uint8Array[] {
  const step = Math.max(1, Math.floor(rules.length / MOST_ALERTS));
  const encoder = new TextEncoder();
  const alerts: Uint8Array[] = [];
  for (let index = 0; index < rules.length; index += step) {
    const rule = rules[index];
    if (rule) alerts.push(encoder.encode(JSON.stringify(alertFor(rule))));
  }
  return alerts;
}

function alertFor({ match }: PolicyRule): object {
  const fields = match.output_fields.flat().map(({ key, value }): [string, string] => [key, value]);
  const priority = PRIORITIES.findLast((_, number) => (match.priority.accepts >> number) & 1) ?? '';
  return {
    output: `00:00:00.000000000: ${priority} a text of the length that texts of alerts commonly have, without meaning`,
    priority,
    rule: match.rules[0] ?? '',
    time: '2000-01-01T00:00:00.000000000Z',
    source: match.source,
    output_fields: { 'evt.time': 1e18, 'proc.pid': 4711, 'k8s.pod.name': null, ...Object.fromEntries(fields) },
    hostname: 'node',
    tags: match.tags.flat(),
  };
}
