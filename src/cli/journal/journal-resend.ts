import { TalonError } from '../../model/talon-error.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { unique } from './journal-retry.ts';
import { withJournal } from './with-journal.ts';

export interface JournalResendFlags extends JournalFlags {
  /** Every notice that was given up. */
  readonly all?: boolean;
}

/** `journal resend`: has notices sent that were given up, as if they had never been tried. All or none. */
export function journalResend(context: CommandContext, ids: readonly number[], flags: JournalResendFlags): number {
  const { terminal } = context;
  const { all = false } = flags;
  if (ids.length === 0 && !all) throw new TalonError('usage', 'say which notices: their numbers, or --all');
  if (ids.length > 0 && all) throw new TalonError('usage', 'give numbers of notices or --all, not both');
  const resent = withJournal(context, flags, (desk) => {
    const chosen = all ? Array.from(desk.notices(true), ({ id }) => id) : unique(ids);
    desk.resend(chosen, terminal.now().getTime());
    return chosen;
  });
  if (flags.format === 'json') terminal.out(jsonDocument({ resent }));
  else terminal.out(`${resentText(resent)}\n`);
  return 0;
}

function resentText(ids: readonly number[]): string {
  if (ids.length === 0) return 'no notices to be sent again';
  return `to be sent again: ${ids.length === 1 ? 'notice' : `${ids.length} notices:`} ${ids.join(', ')}`;
}
