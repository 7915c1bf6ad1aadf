import { type RepairReport, repairJournal } from '../../platform/sqlite/repair.ts';
import { escapeUnprintable } from '../../platform/telemetry/log-line.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { journalFileOf } from './with-journal.ts';

/** `journal repair`: saves what can be read of a damaged journal. @returns 1 if something was lost */
export function journalRepair(context: CommandContext, flags: JournalFlags): number {
  const { terminal } = context;
  const file = journalFileOf(context, flags);
  const report = repairJournal(file, terminal.now());
  if (flags.format === 'json') {
    terminal.out(jsonDocument({ journal: file, ...report, damaged: report.damaged ?? null }));
  } else
    terminal.out(
      page(file, report)
        .map((line) => `${escapeUnprintable(line)}\n`)
        .join(''),
    );
  return report.lost.length > 0 || report.parked.length > 0 ? 1 : 0;
}

function page(file: string, { damaged, saved, lost, parked }: RepairReport): string[] {
  if (damaged === undefined) return [`nothing is wrong with ${file}`];
  return [
    `wrote ${file} anew: ${saved.plans} plans, ${saved.entries} entries about their steps, ${saved.policies} policies, ${saved.notices} notices`,
    `the damaged journal is kept as ${damaged}`,
    ...(lost.length === 0 ? ['nothing was lost'] : ['lost:', ...lost.map((sentence) => `  ${sentence}`)]),
    ...(parked.length === 0
      ? []
      : [
          `parked, because their progress may be incomplete: plans ${parked.join(', ')}`,
          'look at them with `talon journal show`, then say `talon journal retry` or `talon journal drop`',
        ]),
  ];
}
