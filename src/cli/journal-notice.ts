import type { LogRecord } from '../model/log-record.ts';
import type { JournalNotice } from '../platform/sqlite/journal.ts';

/** The log lines of what the journal has to say: one for each plan that is gone although nobody decided about it. */
export function journalNoticeLines(notice: JournalNotice): readonly LogRecord[] {
  const lines = notice.kind === 'trouble' ? [{ error: notice.text }] : notice.plans.map(droppedPlan);
  return lines.map((fields) => ({ level: 'warn', message: 'journal', fields }));
}

type DroppedPlan = Extract<JournalNotice, { kind: 'dropped' }>['plans'][number];

function droppedPlan({ id, state, because }: DroppedPlan): LogRecord['fields'] {
  const why = because === 'age' ? 'it is older than journal.retention_hours' : 'the journal reached journal.max_bytes';
  return { result: `the plan ${id} (${state}) is dropped: ${why}` };
}
