import { type Engine, openBundle as open } from '../runtime/engine/open-bundle.ts';

export type { EventError, EventErrorCode } from '../model/falco-event.ts';
export type { BudgetKey, GuardBudget, GuardDenial, GuardMode, GuardPolicy } from '../model/guard-policy.ts';
export type { Plan, PlannedAction, PlannedRule, PolicyRule } from '../model/rule.ts';
export { TalonError } from '../model/talon-error.ts';
export { conditionBuiltins } from '../runtime/engine/condition-builtins.ts';
export type { EngineAnswer } from '../runtime/engine/open-bundle.ts';

/** Rules that answer alerts, and the guard policies that came with them. */
export type PolicyEngine = Pick<Engine, 'revision' | 'rules' | 'guards' | 'evaluate'>;

/**
 * Opens a policy bundle (tar.gz): checks it, makes an instance of its module and warms it up.
 *
 * ```ts
 * import { openBundle } from 'talon/runtime';
 *
 * const engine = await openBundle(readFileSync('bundle.tar.gz'));
 * const answer = engine.evaluate(alertBytes);
 * if (answer.ok) console.log(answer.rules, answer.plan);
 * else console.error(`no alert: error ${answer.code} at byte ${answer.offset}`);
 * ```
 *
 * @throws TalonError of code `bundle` with the reason, for what is corrupt, truncated, too large or not a bundle of Talon
 */
export async function openBundle(bytes: Uint8Array): Promise<PolicyEngine> {
  return open(bytes);
}
