import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { changedText, unique } from './journal-retry.ts';
import { withJournal } from './with-journal.ts';

/** `journal drop`: gives plans up. They stay as history until they are too old. All or none. */
export function journalDrop(context: CommandContext, ids: readonly number[], flags: JournalFlags): number {
  const { terminal } = context;
  const dropped = unique(ids);
  withJournal(context, flags, (desk) => desk.drop(dropped, terminal.now().getTime()));
  if (flags.format === 'json') terminal.out(jsonDocument({ dropped }));
  else terminal.out(`${changedText('dropped', dropped)}\n`);
  return 0;
}
