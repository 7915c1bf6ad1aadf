import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JournalDesk } from '../../platform/sqlite/journal-desk.ts';
import { openStore } from '../../platform/sqlite/open-store.ts';
import {
  closeEntry,
  POLICY,
  removeScratch,
  sampleAlert,
  sampleNotice,
  scratchFile,
  settledEntry,
  toldEntry,
  write,
} from '../../platform/sqlite/scratch-journal.ts';
import { runRecorded } from '../run-recorded.ts';

const file = scratchFile();

const journal = (...words: string[]) => runRecorded(['journal', ...words, '--journal', file]);

async function listed(...words: string[]) {
  return JSON.parse((await journal('notices', '--format', 'json', ...words)).out);
}

beforeAll(() => {
  const { store, close } = openStore({ file, forget: [] });
  write(store, [], [{ kind: 'policy', policy: POLICY }]);
  const [slack, loki, strange, later] = [
    sampleNotice(1, 1),
    sampleNotice(2, 1, { notifier: 'loki' }),
    sampleNotice(3, 1, { notifier: 'smtp' }),
    sampleNotice(4, 2),
  ];
  write(
    store,
    [sampleAlert(1), sampleAlert(2)],
    [toldEntry(1, 1, [slack, loki, strange]), toldEntry(2, 2, [later]), closeEntry(1, 'done', 1)],
  );
  write(
    store,
    [],
    [
      settledEntry(1, { kind: 'retry', attempts: 2, nextAt: Date.UTC(2026, 0, 1), error: 'no answer' }),
      settledEntry(2, { kind: 'dead', attempts: 12, error: 'bad \x1b[31m\nlabels' }),
      settledEntry(3, { kind: 'dead', attempts: 1, error: 'refused' }),
    ],
  );
  close();
});

afterAll(removeScratch);

describe('journal notices', () => {
  it('lists what waits and what was given up, for people', async () => {
    const { code, out } = await journal('notices');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'ID  PLAN  NOTIFIER  STATE    TRIES  RECORDED              RULE      ACTION         ERROR',
      '1   1     slack     pending  2      2023-11-14T22:13:20Z  Label it  Label the pod  no answer',
      '2   1     loki      dead     12     2023-11-14T22:13:20Z  Label it  Label the pod  bad \\x1b[31m\\nlabels',
      '3   1     smtp      dead     1      2023-11-14T22:13:20Z  Label it  Label the pod  refused',
      '4   2     slack     pending  0      2023-11-14T22:13:20Z  Label it  Label the pod',
      '',
    ]);
  });

  it('has for programs all that will be sent', async () => {
    const { notices, more } = await listed('--dead', '--limit', '1');
    const { notifier, notice } = sampleNotice(2, 1, { notifier: 'loki' });
    const rest = { plan: 1, step: 0, state: 'dead', attempts: 12, recorded_at: '2023-11-14T22:13:20.002Z' };
    expect(notices).toEqual([{ id: 2, notifier, notice, ...rest, error: 'bad \x1b[31m\nlabels' }]);
    expect(more).toBe(true);
    expect((await journal('notices', '--limit', '1')).out).toContain(
      'There are more than these 1: --limit shows them.',
    );
  });

  it('says so when there are none', async () => {
    const empty = scratchFile();
    openStore({ file: empty, forget: [] }).close();
    expect((await runRecorded(['journal', 'notices', '--journal', empty])).out).toBe('no notices\n');
  });
});

it('journal show tells whom a plan has still to tell, and whom it could not', async () => {
  const { out } = await journal('show', '1');
  expect(out).toContain(
    [
      'notices',
      '  1: slack about the action of step 0, waits after 2 tries, until 2026-01-01T00:00:00.000Z: no answer',
      '  2: loki about the action of step 0, given up after 12 tries: bad \\x1b[31m\\nlabels',
      '  3: smtp about the action of step 0, given up after 1 try: refused',
    ].join('\n'),
  );
  const { notices } = JSON.parse((await journal('show', '2', '--format', 'json')).out);
  expect(notices).toMatchObject([{ id: 4, state: 'pending', next_at: '2023-11-14T22:13:20.004Z' }]);
});

describe('journal resend', () => {
  const dead = async () => (await listed('--dead')).notices.map(({ id }: { id: number }) => id);

  it('wants to know which, and takes all or none', async () => {
    expect(await journal('resend')).toMatchObject({ code: 1, err: expect.stringContaining('--all') });
    expect(await journal('resend', '2', '--all')).toMatchObject({ code: 1, err: expect.stringContaining('not both') });
    expect((await journal('resend', 'x')).err).toContain('It is not the number of a notice.');
    expect((await journal('resend', '2', '1')).err).toContain('notice 1 waits for being sent as it is');
    expect((await journal('resend', '2', '9')).err).toContain('there is no notice 9');
    expect(await dead()).toEqual([2, 3]);
  });

  it('puts those back that were given up', async () => {
    expect((await journal('resend', '3', '3')).out).toBe('to be sent again: notice 3\n');
    expect(await dead()).toEqual([2]);
    expect((await journal('resend', '--all', '--format', 'json')).out).toBe('{\n  "resent": [\n    2\n  ]\n}\n');
    expect((await journal('resend', '--all')).out).toBe('no notices to be sent again\n');
    const { notices } = await listed();
    expect(notices.map(({ state, attempts }: { state: string; attempts: number }) => [state, attempts])).toEqual([
      ...[
        ['pending', 2],
        ['pending', 0],
        ['pending', 0],
        ['pending', 0],
      ],
    ]);
    const { store, close } = openStore({ file, forget: [] });
    expect(store.openNotices().map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    close();
    expect(() => new JournalDesk(file).close()).not.toThrow();
  });
});
