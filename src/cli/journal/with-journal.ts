import { JournalDesk } from '../../platform/sqlite/journal-desk.ts';
import { loadSettings } from '../settings/settings.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { journalPath } from './journal-path.ts';

/** The file that a `journal` command works on: `--journal`, else that of the settings. */
export function journalFileOf(
  { terminal, globals }: CommandContext,
  { journal }: Pick<JournalFlags, 'journal'>,
): string {
  if (journal !== undefined) return journal;
  const settings = loadSettings({ configFile: globals.config, rulesFlags: [], env: terminal.env });
  return journalPath(settings, terminal.env);
}

/** Runs something on the journal of a command line. @throws TalonError when it cannot be opened or read */
export function withJournal<Result>(
  context: CommandContext,
  flags: Pick<JournalFlags, 'journal'>,
  act: (desk: JournalDesk) => Result,
): Result {
  const desk = new JournalDesk(journalFileOf(context, flags));
  try {
    return act(desk);
  } finally {
    desk.close();
  }
}
