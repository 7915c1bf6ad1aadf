import type { Notice } from '../../model/notice.ts';
import type { NoticeRecord } from '../../platform/sqlite/notice-rows.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import { textTable } from '../text-table.ts';
import type { JournalFlags } from './journal-flags.ts';
import { moment } from './journal-record.ts';
import { withJournal } from './with-journal.ts';

export interface JournalNoticesFlags extends JournalFlags {
  /** Only those that were given up. */
  readonly dead?: boolean;
  readonly limit: number;
}

/** A notice as programs get it. */
export interface NoticeSummary {
  readonly id: number;
  readonly plan: number;
  readonly step: number;
  readonly notifier: string;
  readonly state: 'pending' | 'dead';
  readonly recorded_at: string;
  /** Tries that failed. */
  readonly attempts: number;
  /** Of one that waits: not before this. */
  readonly next_at?: string;
  readonly error?: string;
  readonly notice: Notice;
}

export function summarizeNotice({ id, alert, step, notifier, state, at, ...rest }: NoticeRecord): NoticeSummary {
  const { attempts, nextAt, error, notice } = rest;
  const isDead = state === 'dead';
  return {
    ...{ id, plan: alert, step, notifier, state: isDead ? 'dead' : 'pending', recorded_at: moment(at), attempts },
    ...(!isDead && { next_at: moment(nextAt) }),
    ...(error !== undefined && { error }),
    notice,
  };
}

/** `journal notices`: what notifiers are still to be told, or will not be, the oldest first. */
export function journalNotices(context: CommandContext, flags: JournalNoticesFlags): number {
  const { terminal } = context;
  const found = withJournal(context, flags, (desk) => {
    const notices: NoticeSummary[] = [];
    for (const record of desk.notices(flags.dead ?? false)) {
      notices.push(summarizeNotice(record));
      if (notices.length > flags.limit) break;
    }
    return notices;
  });
  const notices = found.slice(0, flags.limit);
  const more = found.length > notices.length;
  if (flags.format === 'json') terminal.out(jsonDocument({ notices, more }));
  else terminal.out(page(notices, more));
  return 0;
}

const HEADINGS = ['ID', 'PLAN', 'NOTIFIER', 'STATE', 'TRIES', 'RECORDED', 'RULE', 'ACTION', 'ERROR'];

function page(notices: readonly NoticeSummary[], more: boolean): string {
  if (notices.length === 0) return 'no notices\n';
  const rest = more ? `There are more than these ${notices.length}: --limit shows them.\n` : '';
  return `${textTable(HEADINGS, notices.map(cells))}${rest}`;
}

function cells({ id, plan, notifier, state, attempts, recorded_at, notice, error = '' }: NoticeSummary): string[] {
  const recorded = recorded_at.replace(/\.\d+Z$/, 'Z');
  return [String(id), String(plan), notifier, state, String(attempts), recorded, notice.rule, notice.action, error];
}
