import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Actionner } from '../../model/definition.ts';
import { leastDeadline } from '../../model/least-deadline.ts';
import type { PlannedAction } from '../../model/rule.ts';

/**
 * Milliseconds that one try of an action may take: what the rule says, else the setting if it is not 0, else what the
 * actionner declares. Never less than it takes by its own parameters and a margin: that would only cut it off.
 */
export function stepDeadline(action: PlannedAction, actionner: Actionner, setting: number): number {
  const { behaviour } = actionner;
  const wanted = action.timeout ?? (setting || behaviour.deadline);
  const decoded = decodeParameters(actionner.parameters, action.parameters);
  const least = decoded.ok ? leastDeadline(behaviour, decoded.value) : 0;
  return 1000 * Math.max(wanted, least);
}
