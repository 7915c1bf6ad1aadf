import { ANY_PRIORITY } from '../src/model/priority.ts';
import type { MatchTerms, PolicyRule } from '../src/model/rule.ts';

/** A rule that matches every alert but for the criteria given here. */
export function ruleWith(match: Partial<MatchTerms>, rule: Partial<PolicyRule> = {}): PolicyRule {
  return {
    rule: 'r',
    description: '',
    continue: true,
    dry_run: false,
    notifiers: [],
    actions: [],
    written: {},
    match: {
      rules: [],
      priority: { text: '', accepts: ANY_PRIORITY },
      source: '',
      tags: [],
      output_fields: [],
      condition: '',
      ...match,
    },
    ...rule,
  };
}
