import { describe, expect, it, vi } from 'vitest';
import { MemoryJournal } from '../memory-journal.ts';
import { action, failure, rule, type Script, SUCCESS, World } from '../test-pipeline.ts';
import { Notices } from './notices.ts';
import { NOTIFIERS } from './notices-sample.ts';

/** A pipeline that tells the notifier `a`, which never answers. */
function scene(script: Script) {
  const journal = new MemoryJournal();
  const sent: string[] = [];
  const notices = new Notices({
    executor: {
      send: ({ notice }) => {
        sent.push(`${notice.action} ${notice.status}`);
        return new Promise(() => undefined);
      },
    },
    ...{ notifiers: NOTIFIERS, settings: {}, defaults: ['a'], journal, now: Date.now },
    telemetry: { emit: () => undefined, accepted: () => undefined },
    limits: { attempts: 3, perMinute: 0, maxPending: 10 },
    includeLogs: true,
  });
  const append = vi.spyOn(journal, 'append');
  return { world: new World(script, { journal, notices }), journal, append, sent };
}

describe('a plan', () => {
  it('puts down what is to be told with the end of each step and of itself, and waits for no notifier', async () => {
    const { world, append, journal, sent } = scene({ x: [SUCCESS], y: [failure()] });
    await world.run([rule('R', [action('x'), action('y')], { notifiers: ['b'] })]);
    const ends = append.mock.calls.filter(([, { kind }]) => kind === 'ended');
    expect(
      ends.map(([alert, , conclusion, notices]) => [
        conclusion?.state,
        notices?.map((each) => [each.alert === alert, each.step, each.notifier, each.notice.action]),
      ]),
    ).toEqual([
      [
        undefined,
        [
          [true, 0, 'a', 'x'],
          [true, 0, 'b', 'x'],
        ],
      ],
      [
        'failed',
        [
          [true, 1, 'a', 'y'],
          [true, 1, 'b', 'y'],
        ],
      ],
    ]);
    expect([...journal.plans.values()].map(({ state }) => state)).toEqual(['failed']);
    // The first goes alone.
    expect(sent).toEqual(['x success', 'x success']);
  });

  it('tells nobody of what was not tried', async () => {
    const { world, journal } = scene({ x: [failure('not-found')], y: ['missing'] });
    await world.run([rule('R', [action('x')]), rule('S', [action('y')]), rule('T', [action('x')], { dry_run: true })]);
    expect(journal.notices.size).toBe(0);
  });

  it('sends nothing whose end is not on disk', async () => {
    const { world, journal, append, sent } = scene({ x: [SUCCESS] });
    const write = journal.append.bind(journal);
    append.mockImplementation((alert, progress, ...more) =>
      progress.kind === 'ended' ? Promise.reject(new Error('the journal is closed')) : write(alert, progress, ...more),
    );
    await world.run([rule('R', [action('x')])]);
    expect(sent).toEqual([]);
  });
});
