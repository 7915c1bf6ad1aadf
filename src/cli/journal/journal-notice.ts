import type { LogRecord } from '../../model/log-record.ts';
import type { JournalNotice } from '../../platform/sqlite/journal.ts';
import { warning } from '../server/start-checks.ts';

/** The log lines of what the journal has to say: one for each plan that is gone although nobody decided about it. */
export function journalNoticeLines(notice: JournalNotice): readonly LogRecord[] {
  if (notice.kind === 'trouble') return [warning('journal', { error: notice.text })];
  return notice.plans.map(({ id, state, because }) => {
    const why =
      because === 'age' ? 'it is older than journal.retention_hours' : 'the journal reached journal.max_bytes';
    return warning('journal', { result: `the plan ${id} (${state}) is dropped: ${why}` });
  });
}
