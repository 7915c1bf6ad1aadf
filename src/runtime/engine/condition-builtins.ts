import { evaluateCondition, parseCondition } from '../../model/condition.ts';
import { conditionBuiltin, conditionNumbers } from '../../model/condition-builtins.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { PolicyRule } from '../../model/rule.ts';

/** A condition of a policy that some policy module asks its host about: whether it holds for an alert. */
export type HostCondition = (event: FalcoEvent) => boolean;

/** The conditions of a policy by their numbers. Each is parsed when it is first asked. */
export function hostConditions(rules: readonly PolicyRule[]): ReadonlyMap<number, HostCondition> {
  return new Map([...conditionNumbers(rules)].map(([text, number]) => [number, hostCondition(text)]));
}

function hostCondition(text: string): HostCondition {
  let parsed: ReturnType<typeof parseCondition> | undefined;
  return (event) => {
    parsed ??= parseCondition(text);
    return parsed.ok && evaluateCondition(parsed.condition, event);
  };
}

/**
 * The builtins of a policy for other hosts of OPA modules, such as the third argument of `loadPolicy` in
 * `@open-policy-agent/opa-wasm`. Each takes the text of the alert, a JSON text in a JSON string: an object would lose the
 * digits of large numbers on its way through the host.
 */
export function conditionBuiltins(rules: readonly PolicyRule[]): Record<string, (alert: string) => boolean> {
  const encoder = new TextEncoder();
  return Object.fromEntries(
    [...hostConditions(rules)].map(([number, condition]) => [
      conditionBuiltin(number),
      (alert: string) => {
        const decoded = decodeEvent(encoder.encode(alert));
        return decoded.ok && condition(decoded.event);
      },
    ]),
  );
}
