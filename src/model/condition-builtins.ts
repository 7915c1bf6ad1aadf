/** What has conditions to be numbered: rules. */
interface Conditional {
  readonly match: { readonly condition: string };
}

/**
 * Numbers of the distinct conditions of a policy, from 1, in the order of its rules. The policy module and the host that
 * evaluates conditions for it count in this way.
 */
export function conditionNumbers(rules: readonly Conditional[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const { match } of rules) {
    if (match.condition !== '' && !numbers.has(match.condition)) numbers.set(match.condition, numbers.size + 1);
  }
  return numbers;
}

/** Name of the host builtin that evaluates a condition. */
export function conditionBuiltin(number: number): string {
  return `talon.condition.${number}`;
}
