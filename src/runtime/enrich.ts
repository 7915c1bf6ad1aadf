import type { FalcoEvent } from '../model/falco-event.ts';
import type { PlannedAction, PlannedRule } from '../model/rule.ts';
import type { AlertHead, StepHead } from '../model/transition.ts';
import { type Context, talonContext } from './context.ts';
import { eventTokens, type Tokens } from './plugins/tokens.ts';

/** One action about to be taken, with all that the later stages need to know. */
export interface Step {
  readonly head: StepHead;
  readonly event: FalcoEvent;
  readonly rule: PlannedRule;
  readonly action: PlannedAction;
  /** Made on first use, as the tokens are: few actionners want either. */
  context(): Context;
  tokens(): Tokens;
}

/**
 * Stage: adds to an action of a plan what Talon knows about it. Nothing is shared with other steps.
 *
 * @param more its additional contexts
 */
export function enrich(
  alert: AlertHead,
  event: FalcoEvent,
  rule: PlannedRule,
  action: PlannedAction,
  more: ReadonlyMap<string, string> = new Map(),
): Step {
  let context: Context | undefined;
  let tokens: Tokens | undefined;
  return {
    head: { alert, rule: rule.rule, action: action.action, actionner: action.actionner },
    event,
    rule,
    action,
    context() {
      context ??= talonContext(rule, action, more);
      return context;
    },
    tokens() {
      tokens ??= eventTokens(event, this.context());
      return tokens;
    },
  };
}
