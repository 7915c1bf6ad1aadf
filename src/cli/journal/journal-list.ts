import type { PlanState } from '../../model/journal.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import { textTable } from '../text-table.ts';
import type { JournalFlags, Since } from './journal-flags.ts';
import { type PlanSummary, summarize } from './journal-record.ts';
import { withJournal } from './with-journal.ts';

export interface JournalListFlags extends JournalFlags {
  readonly state: readonly PlanState[];
  readonly rule?: string;
  readonly since?: Since;
  readonly limit: number;
}

/**
 * `journal list`: the plans in the journal, newest first, those that may need somebody before the others. `--rule` is the name
 * of one of our rules or of Falco's.
 */
export function journalList(context: CommandContext, flags: JournalListFlags): number {
  const { terminal } = context;
  const { plans, more } = withJournal(context, flags, (desk) => {
    const found: PlanSummary[] = [];
    const since = flags.since?.(terminal.now()) ?? 0;
    for (const record of desk.plans({ states: flags.state, since })) {
      const plan = summarize(desk, record);
      if (flags.rule !== undefined && plan.alert?.rule !== flags.rule && !plan.rules.includes(flags.rule)) continue;
      if (found.length === flags.limit) return { plans: found, more: true };
      found.push(plan);
    }
    return { plans: found, more: false };
  });
  if (flags.format === 'json') terminal.out(jsonDocument({ plans, more }));
  else terminal.out(page(plans, more));
  return 0;
}

const HEADINGS = ['ID', 'STATE', 'ACCEPTED', 'RULES', 'ALERT', 'REASON'];

function page(plans: readonly PlanSummary[], more: boolean): string {
  if (plans.length === 0) return 'no plans\n';
  const rest = more
    ? `There are more than these ${plans.length}: --limit shows them, --state, --rule and --since choose.\n`
    : '';
  return `${textTable(HEADINGS, plans.map(cells))}${rest}`;
}

function cells({ id, state, accepted_at, rules, alert, reason }: PlanSummary): string[] {
  const names = rules.map((rule) => rule ?? '(unknown)').join(', ');
  return [String(id), state, accepted_at.replace(/\.\d+Z$/, 'Z'), names, alert?.rule ?? '(unreadable)', reason ?? ''];
}
