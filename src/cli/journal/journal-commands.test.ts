import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../platform/sqlite/open-store.ts';
import {
  closeEntry,
  POLICY,
  progressEntry,
  removeScratch,
  sampleAlert,
  scratchFile,
  write,
} from '../../platform/sqlite/scratch-journal.ts';
import { RECORDED_AT } from '../recording-terminal.ts';
import { runRecorded } from '../run-recorded.ts';
import { loadSettings } from '../settings/settings.ts';
import { journalPath } from './journal-path.ts';

const MINUTE = 60_000;
const NOW = RECORDED_AT.getTime();
const file = scratchFile();

const talon = (...words: string[]) => runRecorded(['journal', ...words]);

/** The same on the journal of this test. */
const journal = (...words: string[]) => talon(...words, '--journal', file);

async function listed(...words: string[]): Promise<(readonly [number, string])[]> {
  const { out } = await journal('list', '--format', 'json', ...words);
  return JSON.parse(out).plans.map(({ id, state }: { id: number; state: string }) => [id, state]);
}

beforeAll(() => {
  const { store, close } = openStore({ file, forget: [] });
  const at = (id: number) => NOW - 10 * MINUTE + id * MINUTE;
  const evil = { rule: 'Evil \x1b[31m\nrule', priority: 'Notice', source: 'syscall', output: 'a\u202eb' };
  const alerts = [1, 2, 3, 4, 5, 6, 7].map((id) => sampleAlert(id, { at: at(id) }));
  alerts[3] = sampleAlert(4, { at: at(4), body: Buffer.from(JSON.stringify(evil)) });
  alerts[4] = sampleAlert(5, { at: at(5), revision: 'sha256:gone', rules: [3] });
  const failure = {
    status: 'failure',
    code: 'refused',
    error: 'pods "web" is \x07forbidden',
    objects: { pod: 'web' },
  } as const;
  const stop = { status: 'parked', policy: 'few terminations', reason: 'the budget is spent', objects: {} } as const;
  write(store, [], [{ kind: 'policy', policy: POLICY }]);
  write(store, alerts, [
    progressEntry(4, 1, { kind: 'reserved', step: 0, budgets: ['few terminations|web'], at: at(4) + 1 }),
    progressEntry(4, 2, { kind: 'started', step: 0, attempt: 1, at: at(4) + 2 }),
    progressEntry(4, 3, { kind: 'began', step: 0, call: 'c', door: 'pods.label', at: at(4) + 3 }),
    progressEntry(4, 4, { kind: 'failed', step: 0, call: 'c', door: 'pods.label', code: 'refused', at: at(4) + 4 }),
    progressEntry(4, 5, { kind: 'ended', step: 0, end: failure, at: at(4) + 5 }),
    progressEntry(3, 6, { kind: 'ended', step: 0, end: stop, at: at(3) + 1 }),
    closeEntry(1, 'done', at(1)),
    closeEntry(2, 'done', at(2)),
    { kind: 'close', alert: 3, at: at(3), conclusion: { state: 'parked', reason: 'the budget is spent' } },
    closeEntry(4, 'failed', at(4)),
    closeEntry(5, 'dead', at(5)),
    closeEntry(6, 'dropped', at(6)),
  ]);
  close();
});

afterAll(removeScratch);

describe('journal list', () => {
  it('has those that may need somebody first, the newest of each kind before the others', async () => {
    const all = [
      [7, 'open'],
      [5, 'dead'],
      [4, 'failed'],
      [3, 'parked'],
      [6, 'dropped'],
      [2, 'done'],
      [1, 'done'],
    ];
    expect(await listed()).toEqual(all);
    expect(await listed('--state', 'done', '--state', 'parked')).toEqual([
      [3, 'parked'],
      [2, 'done'],
      [1, 'done'],
    ]);
    expect(await listed('--since', '6m')).toEqual([
      [7, 'open'],
      [5, 'dead'],
      [4, 'failed'],
      [6, 'dropped'],
    ]);
    expect(await listed('--since', '2026-01-02')).toEqual([]);
    expect(await listed('--limit', '2')).toEqual([
      [7, 'open'],
      [5, 'dead'],
    ]);
  });

  it('finds plans by the name of our rule or that of Falco', async () => {
    expect(await listed('--rule', 'Label it')).toHaveLength(6);
    expect(await listed('--rule', 'Evil \x1b[31m\nrule')).toEqual([[4, 'failed']]);
    expect(await listed('--rule', 'none')).toEqual([]);
  });

  it('is a table for people, with nothing in it that a terminal acts on', async () => {
    const { out } = await journal('list');
    expect(out.split('\n').slice(0, 4)).toEqual([
      'ID  STATE    ACCEPTED              RULES      ALERT                REASON',
      '7   open     2026-01-01T10:12:02Z  Label it   Terminal shell',
      '5   dead     2026-01-01T10:10:02Z  (unknown)  Terminal shell',
      '4   failed   2026-01-01T10:09:02Z  Label it   Evil \\x1b[31m\\nrule',
    ]);
    expect((await journal('list', '--limit', '1')).out).toContain('There are more than these 1');
    expect((await journal('list', '--rule', 'none')).out).toBe('no plans\n');
  });

  it.each([
    ['--state', 'broken', 'Allowed choices are open, parked, failed, dead, done, dropped.'],
    ['--since', 'tomorrow', 'Write it as 90s, 30m, 24h, 7d'],
    ['--limit', '0', 'It is not how many there can be.'],
  ])('refuses %s %s', async (flag, value, reason) => {
    const { code, err } = await journal('list', flag, value);
    expect(code).toBe(1);
    expect(err).toContain(reason);
  });
});

describe('journal show', () => {
  it('shows alert, steps, and all that happened, escaped', async () => {
    const { code, out } = await journal('show', '4');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'plan 4: failed',
        '  accepted  2026-01-01T10:09:02.000Z',
        '  ended     2026-01-01T10:09:02.000Z',
        '  trace     00000000000000000000000000000004',
        '  revision  sha256:scratch',
        'alert',
        '  rule: Evil \\x1b[31m\\nrule',
        '  priority: Notice',
        '  source: syscall',
        '  output: a\\u202eb',
        'step 0: Label the pod (kubernetes:label), rule Label it',
        '  2026-01-01T10:09:02.001Z  budgets reserved: few terminations|web',
        '  2026-01-01T10:09:02.002Z  started, try 1',
        '  2026-01-01T10:09:02.003Z  pods.label begins',
        '  2026-01-01T10:09:02.004Z  pods.label failed: refused',
        '  2026-01-01T10:09:02.005Z  ended: failure (refused): pods "web" is \\afor'.replace(
          'afor',
          'aforbidden [pod=web]',
        ),
        '',
      ].join('\n'),
    );
    expect((await journal('show', '3')).out).toContain('ended: parked by few terminations: the budget is spent');
    expect((await journal('show', '5')).out).toContain('sha256:gone (its rules are not in the journal)');
  });

  it('has the same for programs', async () => {
    const { out } = await journal('show', '4', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({
      id: 4,
      state: 'failed',
      rules: ['Label it'],
      alert: { rule: 'Evil \x1b[31m\nrule' },
      steps: [{ step: 0, rule: 'Label it', action: 'Label the pod', actionner: 'kubernetes:label' }],
      progress: [{ kind: 'reserved' }, { kind: 'started' }, { kind: 'began' }, { kind: 'failed' }, { kind: 'ended' }],
    });
    expect(out).toContain('\\u001b[31m\\nrule');
    expect(out).toContain('a\\u202eb');
  });

  it('says which plan is not there', async () => {
    expect(await journal('show', '99')).toEqual({ code: 1, out: '', err: `Error: there is no plan 99 in ${file}\n` });
    expect((await journal('show', 'x')).err).toContain('It is not the number of a plan.');
  });
});

describe('journal retry and drop', () => {
  it('change nothing when one of the plans cannot be changed', async () => {
    expect((await journal('retry', '4', '2')).err).toBe('Error: plan 2 is done: there is nothing to try again\n');
    expect((await journal('retry', '4', '7')).err).toContain('plan 7 is open');
    expect((await journal('drop', '4', '1')).err).toBe('Error: plan 1 is done: there is nothing to give up\n');
    expect((await journal('retry', '4', '99')).err).toContain('there is no plan 99');
    expect((await journal('retry')).err).toContain('say which plans: their numbers, or --state');
    expect((await journal('retry', '4', '--state', 'parked')).err).toContain('not both');
    expect((await journal('retry', '4', '--allow')).err).toContain('only what is parked can be allowed');
    expect(await listed('--state', 'failed')).toEqual([[4, 'failed']]);
  });

  it('open plans again, by number or by state, and give them up', async () => {
    expect(await journal('retry', '4', '5', '4')).toEqual({ code: 0, out: 'reopened 2 plans: 4, 5\n', err: '' });
    expect((await journal('retry', '--state', 'parked')).out).toBe('reopened plan 3\n');
    expect((await journal('retry', '--state', 'parked')).out).toBe('no plans to be reopened\n');
    expect(await listed('--state', 'open')).toEqual([
      [7, 'open'],
      [5, 'open'],
      [4, 'open'],
      [3, 'open'],
    ]);
    expect((await journal('show', '3')).out).toMatch(/^plan 3: open\n.*\n {2}reopened {2}2026-01-01T10:15:02.000Z$/m);
    // No server runs, so that open ones may be given up.
    expect((await journal('drop', '5', '--format', 'json')).out).toBe('{\n  "dropped": [\n    5\n  ]\n}\n');
    expect(await listed('--state', 'dropped')).toEqual([
      [6, 'dropped'],
      [5, 'dropped'],
    ]);
    expect((await journal('show', '5')).out).toContain('plan 5: dropped, was open');
  });

  it('leave open plans to a server that runs', async () => {
    const { store, close } = openStore({ file, forget: [] });
    expect((await journal('drop', '7')).err).toContain('plan 7 is open and a server works on it');
    expect(store.readOpenPlans().plans.map(({ alert }) => alert.id)).toEqual([3, 4, 7]);
    close();
  });
});

describe('journal repair', () => {
  it('says what it saved and what was lost', async () => {
    const broken = scratchFile();
    mkdirSync(path.dirname(broken));
    const bytes = readFileSync(file);
    const at = bytes.lastIndexOf('shell number 2');
    writeFileSync(broken, bytes.fill('x', at, at + 14));
    expect(await talon('repair', '--journal', file)).toEqual({
      code: 0,
      out: `nothing is wrong with ${file}\n`,
      err: '',
    });
    expect((await talon('show', '2', '--journal', broken)).err).toContain(
      `run \`talon journal repair --journal ${broken}\``,
    );
    const { code, out } = await talon('repair', '--journal', broken);
    expect(code).toBe(1);
    expect(out).toMatch(/^wrote .*journal\.db anew: 6 plans, \d+ entries about their steps, 1 policies, 0 notices\n/);
    expect(out).toMatch(
      /\nthe damaged journal is kept as .*journal\.db\.damaged-20260101101502\nlost:\n {2}alerts of 1 plan: 2\n$/,
    );
    expect(readdirSync(path.dirname(broken))).toContain('journal.db.damaged-20260101101502');
    expect((await talon('list', '--journal', broken)).code).toBe(0);
  });
});

it('says so when there is no journal, or it is none', async () => {
  const none = path.join(path.dirname(file), 'none.db');
  for (const command of [['list'], ['show', '1'], ['retry', '1'], ['drop', '1'], ['repair']]) {
    const { code, err } = await talon(...command, '--journal', none);
    expect([code, err]).toEqual([1, `Error: there is no journal ${none}\n`]);
  }
  expect(existsSync(none)).toBe(false);
  const text = `${file}.txt`;
  writeFileSync(text, 'a text '.repeat(1_000));
  expect((await talon('list', '--journal', text)).err).toContain(`the file ${text} is not a journal of Talon`);
});

describe('journalPath', () => {
  const pathFor = (given: string, env: Record<string, string>) =>
    journalPath(
      { journal: { ...loadSettings({ configFile: undefined, rulesFlags: [], env: {} }).journal, path: given } },
      env,
    );

  it('is the configured one, with the home folder filled in', () => {
    expect(pathFor('/a/b.db', {})).toBe('/a/b.db');
    expect(pathFor('~/b.db', { HOME: '/home/eve' })).toBe('/home/eve/b.db');
    expect(pathFor('b.db', {})).toBe(path.resolve('b.db'));
  });

  it('is that of the system where it can be written, else that of the user', () => {
    const chosen = pathFor('', { HOME: '/home/eve', XDG_STATE_HOME: '/state' });
    expect(['/var/lib/falco-talon/journal.db', '/state/falco-talon/journal.db']).toContain(chosen);
  });
});
