import { Arena } from '../src/platform/sqlite/arena.ts';
import { openStore } from '../src/platform/sqlite/open-store.ts';

const SECONDS = 1;

/**
 * How many alerts per second the store writes alone, in this thread and without HTTP: batches of so many alerts, with the
 * two entries that the plan of each leaves in a dry run.
 */
export function storeRate(file: string, alertsPerCommit: number, bodies: readonly string[]): number {
  const { store, close } = openStore({ file, forget: [] });
  const size = Math.max(1, Math.round(alertsPerCommit));
  const alerts = bodies.map((body) => Buffer.from(body));
  let id = 0;
  const begun = performance.now();
  while (performance.now() - begun < SECONDS * 1e3) {
    const arena = new Arena();
    const first = id + 1;
    for (let n = 0; n < size; n++) {
      id++;
      const body = alerts[id % alerts.length] as Buffer;
      const head = { at: Date.now(), key: `${id}`.padStart(44, 'k'), revision: 'r'.repeat(64), rules: [id % 100] };
      arena.addAlert({ id, ...head, traceId: '0'.repeat(32), body });
    }
    for (let alert = first; alert <= id; alert++) {
      const end = { status: 'ignored', result: 'dry run', objects: {} } as const;
      const at = Date.now();
      const conclusion = { state: 'done', reason: '' } as const;
      arena.addEntry({
        kind: 'progress',
        alert,
        seq: alert,
        at,
        progress: { kind: 'ended', step: 0, end },
        conclusion,
      });
    }
    const { error } = store.write(arena.buffer, size, arena.counts.entries);
    if (error) throw new Error(error);
  }
  const rate = (1e3 * id) / (performance.now() - begun);
  close();
  return rate;
}
