import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  AcceptedAlert,
  ClosedState,
  DatedProgress,
  Journal,
  NoticeResult,
  QueuedNotice,
  StoredPolicy,
} from '../../model/journal.ts';
import { Arena, type Entry } from './arena.ts';
import type { JournalStore, Written } from './journal-store.ts';

// For tests: journals in folders of their own, and what to write into them.

const folders: string[] = [];

/** The name of a journal that is not there yet, in a folder that is not there either. */
export function scratchFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-journal-'));
  folders.push(folder);
  return path.join(folder, 'state', 'journal.db');
}

/** Removes what was made in the folders of `scratchFile`. */
export function removeScratch(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export const REVISION = 'sha256:scratch';

export const POLICY: StoredPolicy = {
  revision: REVISION,
  guards: [],
  rules: [
    {
      rule: 'Label it',
      description: '',
      continue: true,
      dry_run: false,
      notifiers: [],
      actions: [
        {
          action: 'Label the pod',
          description: '',
          actionner: 'kubernetes:label',
          continue: true,
          ignore_errors: false,
          parameters: { labels: { suspicious: 'true' } },
          additional_contexts: [],
          output: null,
          written: {},
        },
      ],
      written: {},
    },
  ],
};

export function sampleAlert(id: number, change: Partial<AcceptedAlert> = {}): AcceptedAlert {
  const alert = { rule: 'Terminal shell', priority: 'Notice', source: 'syscall', output: `shell number ${id}` };
  const body = Buffer.from(JSON.stringify({ ...alert, output_fields: { 'proc.name': 'sh' } }));
  const rest = { key: `key ${id}`, revision: REVISION, rules: [0], traceId: String(id).padStart(32, '0') };
  return { id, at: 1_700_000_000_000 + id, ...rest, body, ...change };
}

/** Resolves to whether the alert is on disk. */
export function accepted(journal: Journal, alert: AcceptedAlert): Promise<boolean> {
  return new Promise((resolve) => journal.accept(alert, resolve));
}

export function progressEntry(alert: number, seq: number, { at, ...progress }: DatedProgress): Entry {
  return { kind: 'progress', alert, seq, at, progress };
}

/** To be told to `slack`, of the first step of the plan. */
export function sampleNotice(id: number, alert: number, change: Partial<QueuedNotice> = {}): QueuedNotice {
  const at = 1_700_000_000_000 + id;
  const notice = {
    time: new Date(at).toISOString(),
    trace_id: String(alert).padStart(32, '0'),
    rule: 'Label it',
    event: `shell number ${alert}\nnext line`,
    message: 'action',
    output: 'labelled',
    actionner: 'kubernetes:label',
    action: 'Label the pod',
    status: 'success',
  } as const;
  return { id, alert, step: 0, notifier: 'slack', at, attempts: 0, nextAt: at, notice, ...change };
}

/** The end of a step with what is to be told of it. */
export function toldEntry(alert: number, seq: number, notices: readonly QueuedNotice[]): Entry {
  const end = { status: 'success', output: 'labelled', objects: {} } as const;
  return { kind: 'progress', alert, seq, at: alert, progress: { kind: 'ended', step: 0, end }, notices };
}

export function settledEntry(notice: number, result: NoticeResult): Entry {
  return { kind: 'settled', notice, result };
}

export function closeEntry(alert: number, state: ClosedState, at: number): Entry {
  return { kind: 'close', alert, at, conclusion: { state, reason: '' } };
}

/** Writes into a store directly, as the thread does. */
export function write(store: JournalStore, alerts: readonly AcceptedAlert[], entries: readonly Entry[]): Written {
  const arena = new Arena();
  for (const alert of alerts) arena.addAlert(alert);
  for (const entry of entries) arena.addEntry(entry);
  return store.write(arena.buffer, alerts.length, arena.counts.entries);
}
