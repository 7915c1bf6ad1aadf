import type { PlanState } from '../../model/journal.ts';
import { TalonError } from '../../model/talon-error.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { withJournal } from './with-journal.ts';

export interface JournalRetryFlags extends JournalFlags {
  readonly state?: PlanState;
  /** Past guards that cannot decide and budgets that are spent. */
  readonly allow?: boolean;
}

/** `journal retry`: opens plans again, so that the steps that failed or were stopped are run once more. All or none. */
export function journalRetry(context: CommandContext, ids: readonly number[], flags: JournalRetryFlags): number {
  const { terminal } = context;
  const { state } = flags;
  if (ids.length === 0 && !state) throw new TalonError('usage', 'say which plans: their numbers, or --state');
  if (ids.length > 0 && state) throw new TalonError('usage', 'give numbers of plans or --state, not both');
  const reopened = withJournal(context, flags, (desk) => {
    const chosen = state ? [...desk.plans({ states: [state], since: 0 })].map(({ alert }) => alert.id) : unique(ids);
    desk.reopen(chosen, terminal.now().getTime(), flags.allow);
    return chosen;
  });
  if (flags.format === 'json') terminal.out(jsonDocument({ reopened }));
  else terminal.out(`${changedText('reopened', reopened)}\n`);
  return 0;
}

export function unique(ids: readonly number[]): number[] {
  return [...new Set(ids)];
}

/** What was done to which plans, as a line for people. */
export function changedText(done: string, ids: readonly number[]): string {
  if (ids.length === 0) return `no plans to be ${done}`;
  return `${done} ${ids.length === 1 ? 'plan' : `${ids.length} plans:`} ${ids.join(', ')}`;
}
