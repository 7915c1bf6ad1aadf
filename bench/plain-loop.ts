import { priorityNumber } from '../src/model/priority.ts';
import type { PolicyRule } from '../src/model/rule.ts';
import type { BenchAlert } from './bench-alert.ts';

/**
 * What one would write first: parse the alert and go through the rules. The contender that the policy module has to beat, with
 * numbers and nested values taken no more seriously than `String` takes them.
 */
export function plainLoop(rules: readonly PolicyRule[], alert: BenchAlert): number[] {
  const priority = priorityNumber(alert.priority);
  const source = alert.source || 'syscall';
  const matched: number[] = [];
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index] as PolicyRule;
    if (!matches(rule, alert, priority, source)) continue;
    matched.push(index);
    if (!rule.continue) break;
  }
  return matched;
}

function matches({ match }: PolicyRule, alert: BenchAlert, priority: number, source: string): boolean {
  if (match.rules.length > 0 && !match.rules.includes(alert.rule)) return false;
  if (((match.priority.accepts >> priority) & 1) === 0) return false;
  if (match.source !== '' && match.source !== source) return false;
  if (match.tags.length > 0 && !match.tags.some((tags) => tags.every((tag) => alert.tags.includes(tag)))) return false;
  if (match.output_fields.length === 0) return true;
  return match.output_fields.some((terms) =>
    terms.every(({ key, operator, value }) => {
      const actual = alert.output_fields[key];
      const equal = actual !== undefined && (actual === null ? '<nil>' : String(actual)) === value;
      return equal === (operator === '=');
    }),
  );
}
