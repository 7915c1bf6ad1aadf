import type { PolicyRule } from '../src/model/rule.ts';

/** Rules of a benchmark as a rules file: JSON, which is YAML. */
export function rulesFile(rules: readonly PolicyRule[]): string {
  return rules.map((rule) => `- ${JSON.stringify(block(rule))}\n`).join('');
}

function block({ rule, description, continue: goesOn, match, actions }: PolicyRule): object {
  return {
    rule,
    description,
    continue: goesOn,
    match: {
      ...(match.rules.length > 0 && { rules: match.rules }),
      ...(match.priority.text !== '' && { priority: match.priority.text }),
      ...(match.source !== '' && { source: match.source }),
      ...(match.tags.length > 0 && { tags: match.tags.map((tags) => tags.join(', ')) }),
      ...(match.output_fields.length > 0 && {
        output_fields: match.output_fields.map((terms) =>
          terms.map(({ key, operator, value }) => `${key}${operator}${value}`).join(', '),
        ),
      }),
    },
    actions: actions.map(({ action, actionner, parameters }) => ({ action, actionner, parameters })),
  };
}
