import type { PlannedAction } from '../../model/rule.ts';

/**
 * Whether the next action of the rule runs after this one. An error (of the checks, the run or the output) ends the rule
 * unless it is to be ignored; after that `continue` decides, also for an ignored error. Dry runs and actions that were
 * ignored are no errors. What the actions do never stops other rules.
 */
export function goesOn({ continue: wanted, ignore_errors }: FlowSettings, failed: boolean): boolean {
  return (!failed || ignore_errors) && wanted;
}

/** With defaults filled in, as plans carry them. */
export type FlowSettings = Pick<PlannedAction, 'continue' | 'ignore_errors'>;
