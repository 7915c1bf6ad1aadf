import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QueuedNotice } from '../../model/journal.ts';
import type { Outcome } from '../../model/outcome.ts';
import { createRedactor } from '../../model/redact.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { failure } from '../test-pipeline.ts';
import { AWAY, Post, TAKEN } from './notices-fixture.ts';
import { noticed } from './notices-sample.ts';

const SECOND = 1_000;
const HOUR = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

/** The journal as the next start finds it. */
function reopened({ notices }: MemoryJournal): MemoryJournal {
  return new MemoryJournal([], [...notices.values()]);
}

describe('who is told', () => {
  const names = (notices: readonly QueuedNotice[]) => notices.map(({ notifier }) => notifier);
  const end = { kind: 'action', end: TAKEN } as const;

  it('are those of the configuration and of the rule, each once, in any case', () => {
    const { notices } = new Post({ defaults: ['A'] });
    expect(names(notices.of(noticed(), end))).toEqual(['a']);
    expect(names(notices.of(noticed(['B', 'a', 'b']), end))).toEqual(['a', 'b']);
  });

  it('are not those that are unknown, or whose settings are no good', () => {
    const { notices } = new Post({ defaults: [], settings: { a: { url: [1] } } });
    expect(notices.of(noticed(['a', 'c']), end)).toEqual([]);
  });

  it('learn no secret', () => {
    const { notices } = new Post({ redact: createRedactor(['success', 'hunter22']) });
    const outcome = { status: 'success', output: 'success with hunter22', objects: { pod: 'hunter22' } } as const;
    const [queued] = notices.of(noticed([], 'curl -u hunter22'), { kind: 'action', end: outcome });
    expect(queued?.notice).toMatchObject({
      ...{ status: 'success', output: '*** with ***', event: 'curl -u ***', objects: { Pod: '***' } },
    });
  });
});

describe('sending', () => {
  it('is recorded, told of, and leaves nothing behind', async () => {
    const post = new Post();
    await post.tell('one', ['b']);
    await pass();
    expect(post.outcomes).toEqual(['a one sent 1', 'b one sent 1']);
    expect(post.journal.notices.size).toBe(0);
    expect(post.notices.pending()).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('happens after a crash between the commit and the sending, once', async () => {
    const before = new Post();
    await before.record('one');
    const after = new Post({ journal: reopened(before.journal) });
    expect(await after.notices.resume()).toBe(1);
    await pass();
    expect(after.outcomes).toEqual(['a one sent 1']);
    const later = new Post({ journal: reopened(after.journal) });
    expect(await later.notices.resume()).toBe(0);
  });

  it('happens once more after a crash between the sending and the record of it', async () => {
    const before = new Post();
    before.journal.settleNotice = () => new Promise(() => undefined);
    await before.tell('one');
    expect(before.tries).toEqual(['a one']);
    const after = new Post({ journal: reopened(before.journal) });
    await after.notices.resume();
    await pass();
    expect(after.outcomes).toEqual(['a one sent 1']);
  });

  it('keeps the order, with few on their way at once', async () => {
    const post = new Post();
    let most = 0;
    let under = 0;
    post.reply = async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 100));
      under--;
      return TAKEN;
    };
    for (let number = 0; number < 20; number++) await post.tell(String(number));
    await pass(10 * SECOND);
    expect(post.tries).toEqual(Array.from({ length: 20 }, (_, number) => `a ${number}`));
    expect(most).toBe(4);
  });

  it('says which one is the first, until one was taken', async () => {
    const post = new Post();
    const firsts: boolean[] = [];
    post.reply = ({ first }) => {
      firsts.push(first);
      return firsts.length < 3 ? AWAY : TAKEN;
    };
    for (const output of ['one', 'two']) await post.tell(output);
    await pass(HOUR);
    expect(firsts).toEqual([true, true, true, false]);
  });

  it('of one notifier waits for no other', async () => {
    const post = new Post();
    post.reply = ({ notifier }) => (notifier.id === 'a' ? new Promise<Outcome>(() => undefined) : TAKEN);
    for (const output of ['1', '2', '3', '4', '5', '6']) await post.tell(output, ['b']);
    await pass();
    expect(post.outcomes).toEqual(['1', '2', '3', '4', '5', '6'].map((output) => `b ${output} sent 1`));
    expect(post.notices.pending()[0]).toEqual(['a', 6]);
  });

  it('takes a fault of ours for one more failure', async () => {
    const post = new Post();
    post.reply = () => {
      throw new Error('a defect');
    };
    await post.tell('one');
    await pass();
    expect(post.told).toMatchObject([{ outcome: 'retrying', error: 'a defect' }]);
  });
});

describe('after a failure', () => {
  it('tries again after longer and longer times, and gives up after so many tries', async () => {
    const post = new Post({ limits: { attempts: 4 } });
    const at: number[] = [];
    const start = Date.now();
    post.reply = () => {
      at.push(Math.round((Date.now() - start) / SECOND));
      return AWAY;
    };
    await post.tell('one');
    await pass(HOUR);
    expect(at).toEqual([0, 1, 3, 7]);
    expect(post.outcomes).toEqual(['a one retrying 1', 'a one retrying 2', 'a one retrying 3', 'a one dead 4']);
    expect([...post.journal.notices.values()]).toMatchObject([{ dead: true, error: 'unreachable' }]);
  });

  it('knows after a restart how often it was tried, and when the next try is', async () => {
    const before = new Post();
    before.reply = () => AWAY;
    await before.tell('one');
    await pass(4 * SECOND);
    expect(before.tries).toHaveLength(3);
    await before.notices.stop(0);
    const after = new Post({ journal: reopened(before.journal), limits: { attempts: 4 } });
    after.reply = () => AWAY;
    await after.notices.resume();
    await pass(2 * SECOND);
    expect(after.tries).toEqual([]);
    await pass(2 * SECOND);
    expect(after.outcomes).toEqual(['a one dead 4']);
  });

  it('leaves the notifier alone for as long as it asks, with all notices', async () => {
    const post = new Post();
    post.reply = () => ({ ...failure('busy'), retryAfterMs: 60 * SECOND }) as Outcome;
    await post.tell('one');
    await post.tell('two');
    await pass(59 * SECOND);
    expect(post.tries).toEqual(['a one']);
    post.reply = () => TAKEN;
    await pass(2 * SECOND);
    expect(post.outcomes).toEqual(['a one retrying 1', 'a two sent 1', 'a one sent 2']);
  });

  it('lets an outage of a day cost no notice all of its tries', async () => {
    const post = new Post();
    post.reply = () => AWAY;
    for (let number = 0; number < 50; number++) await post.tell(String(number));
    await pass(24 * HOUR);
    post.reply = () => TAKEN;
    await pass(2 * HOUR);
    expect(post.outcomes.filter((each) => each.includes('sent'))).toHaveLength(50);
    expect(post.outcomes.filter((each) => each.includes('dead'))).toEqual([]);
  });

  it('sends the others meanwhile, if only the one is not taken', async () => {
    const post = new Post();
    post.reply = ({ notice }) => (notice.output === 'poison' ? failure('busy') : TAKEN);
    await post.tell('poison');
    for (let number = 0; number < 30; number++) await post.tell(String(number));
    await pass(5 * SECOND);
    expect(post.outcomes.filter((each) => each.includes('sent'))).toHaveLength(30);
  });

  it('gives up at once what is refused for its content, and lets that hold up nothing', async () => {
    const post = new Post();
    post.reply = ({ notice }) => (notice.output === 'bad' ? failure('refused') : TAKEN);
    for (const output of ['bad', 'good']) await post.tell(output);
    await pass();
    expect(post.outcomes).toEqual(['a bad dead 1', 'a good sent 1']);
  });

  it('does not wait for a clock that was set back', async () => {
    const post = new Post();
    post.reply = () => AWAY;
    await post.tell('one');
    vi.setSystemTime(Date.now() - 365 * 24 * HOUR);
    post.reply = () => TAKEN;
    await pass(2 * SECOND);
    expect(post.outcomes).toContain('a one sent 2');
  });
});

describe('a limit of tries', () => {
  it('lets what is more wait, loses nothing, and is counted for each notifier', async () => {
    const post = new Post({ limits: { perMinute: 3 } });
    for (let number = 1; number <= 8; number++) await post.tell(`n${number}`, number === 1 ? ['b'] : []);
    await pass();
    expect(post.tries).toEqual(['a n1', 'b n1', 'a n2', 'a n3']);
    await pass(59 * SECOND);
    expect(post.tries).toHaveLength(4);
    await pass(2 * SECOND);
    expect(post.tries.slice(4)).toEqual(['a n4', 'a n5', 'a n6']);
    await pass(60 * SECOND);
    expect(post.tries.slice(7)).toEqual(['a n7', 'a n8']);
    expect(post.journal.notices.size).toBe(0);
  });

  it('counts tries that fail', async () => {
    const post = new Post({ limits: { perMinute: 2 } });
    post.reply = () => AWAY;
    await post.tell('one');
    await pass(50 * SECOND);
    expect(post.tries).toHaveLength(2);
    await pass(20 * SECOND);
    expect(post.tries).toHaveLength(4);
    await pass(45 * SECOND);
    expect(post.tries).toHaveLength(4);
  });
});

describe('logs of pods', () => {
  const logged = {
    status: 'success',
    output: 'user jane signed in',
    objects: { pod: 'web', namespace: 'shop' },
  } as const;
  const about = (actionner: string) => {
    const sample = noticed();
    return { ...sample, step: { ...sample.step, head: { ...sample.step.head, actionner } } };
  };
  const output = (includeLogs: boolean, actionner: string) => {
    const [queued] = new Post({ includeLogs }).notices.of(about(actionner), { kind: 'action', end: logged });
    return queued?.notice.output;
  };

  it('are sent unless the configuration keeps them back; what others did is always said', () => {
    expect(output(true, 'kubernetes:log')).toBe('user jane signed in');
    expect(output(false, 'kubernetes:log')).toBe(
      "the logs for the pod 'web' in the namespace 'shop' has been downloaded",
    );
    expect(output(false, 'kubernetes:exec')).toBe('user jane signed in');
  });
});

describe('too many', () => {
  it('costs the oldest that wait, which are told of', async () => {
    const post = new Post({ limits: { maxPending: 3 } });
    post.reply = () => new Promise<Outcome>(() => undefined);
    for (const output of ['1', '2', '3', '4', '5']) await post.tell(output);
    await pass();
    expect(post.tries).toEqual(['a 1']);
    expect(post.outcomes).toEqual(['a 2 dropped 0', 'a 3 dropped 0']);
    const dead = [...post.journal.notices.values()].filter(({ dead: isDead }) => isDead);
    expect(dead.map(({ notice, error }) => [notice.output, error])).toEqual([
      ['2', 'dropped: more than 3 wait for this notifier'],
      ['3', 'dropped: more than 3 wait for this notifier'],
    ]);
  });

  it('is no matter of memory: what waits is read when it is its turn', async () => {
    const post = new Post();
    let open: (outcome: Outcome) => void = () => undefined;
    post.reply = () => new Promise((resolve) => (open = resolve));
    const read = vi.spyOn(post.journal, 'notice');
    const large = 'x'.repeat(60_000);
    for (let number = 0; number < 20; number++) await post.tell(`${number} ${large}`);
    expect(read).not.toHaveBeenCalled();
    post.reply = () => TAKEN;
    open(TAKEN);
    await pass(SECOND);
    expect(post.told).toHaveLength(20);
    expect(read.mock.calls.length).toBeGreaterThan(10);
  });
});

describe('a journal that fails', () => {
  it('to give a notice is asked again', async () => {
    const before = new Post();
    await before.record('one');
    const post = new Post({ journal: reopened(before.journal) });
    vi.spyOn(post.journal, 'notice').mockRejectedValueOnce(new Error('no thread'));
    await post.notices.resume();
    await pass();
    expect(post.tries).toEqual([]);
    await pass(2 * SECOND);
    expect(post.outcomes).toEqual(['a one sent 1']);
  });

  it('to have one any more makes nothing of it', async () => {
    const before = new Post();
    await before.record('one');
    const post = new Post({ journal: reopened(before.journal) });
    vi.spyOn(post.journal, 'notice').mockResolvedValue(undefined);
    await post.notices.resume();
    await pass();
    expect([post.tries, post.told, post.notices.pending()]).toEqual([[], [], [['a', 0]]]);
  });
});

describe('the end of the server', () => {
  it('waits for what is on its way, and leaves the rest in the journal', async () => {
    const post = new Post();
    post.reply = async () => {
      await new Promise((resolve) => setTimeout(resolve, SECOND));
      return TAKEN;
    };
    for (const output of ['one', 'two']) await post.tell(output);
    const stopped = post.notices.stop(5 * SECOND);
    await pass(2 * SECOND);
    await stopped;
    expect(post.outcomes).toEqual(['a one sent 1']);
    expect([...post.journal.notices.values()].map(({ notice }) => notice.output)).toEqual(['two']);
  });

  it('gives up what takes too long, which counts as no try', async () => {
    const post = new Post();
    post.reply = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(failure('unreachable'))));
    await post.tell('one');
    const stopped = post.notices.stop(SECOND);
    await pass(2 * SECOND);
    await stopped;
    expect(post.told).toEqual([]);
    expect([...post.journal.notices.values()]).toMatchObject([{ attempts: 0 }]);
    await post.tell('two');
    expect(post.tries).toEqual(['a one']);
  });
});

describe('an operator', () => {
  it('has dead ones sent again, as if they had never been tried', async () => {
    const post = new Post({ limits: { attempts: 1 } });
    post.reply = () => AWAY;
    const [dead] = await post.tell('one');
    await pass();
    await post.notices.resume();
    post.reply = () => TAKEN;
    post.journal.resend(dead?.id ?? 0);
    await pass(2 * SECOND);
    expect(post.outcomes).toEqual(['a one dead 1', 'a one sent 1']);
  });

  it('has a day to mend settings that are no good', async () => {
    const before = new Post();
    await before.record('one');
    const broken = { settings: { a: { url: [1] } } };
    const post = new Post({ ...broken, journal: reopened(before.journal) });
    await post.notices.resume();
    await pass(SECOND);
    expect(post.told).toEqual([]);
    await pass(24 * HOUR);
    const later = new Post({ ...broken, journal: reopened(post.journal) });
    await later.notices.resume();
    await pass(SECOND);
    expect(later.told).toMatchObject([{ outcome: 'dead', error: 'its notifier has not been usable for a day' }]);
  });
});

describe('whatever happens', () => {
  type Event = 'tell' | 'taken' | 'away' | 'busy' | 'refused' | 'restart' | 'wait';
  const EVENTS: readonly Event[] = ['tell', 'taken', 'away', 'busy', 'refused', 'restart', 'wait'];
  const REPLIES = { taken: TAKEN, away: AWAY, busy: failure('busy'), refused: failure('refused') } as const;
  const LIMITS = { attempts: 3, maxPending: 4 };

  /** Lets all that happen. @returns what was told of each notice by its number, and what the journal has of it in the end */
  async function play(events: readonly Event[]) {
    const posts = [new Post({ limits: LIMITS })];
    let reply: Outcome = TAKEN;
    let count = 0;
    const actions: Partial<Record<Event, (post: Post) => Promise<unknown>>> = {
      tell: (post) => post.tell(`n${count++}`),
      wait: () => pass(10 * SECOND),
      restart: async (post) => {
        await Promise.all([post.notices.stop(0), pass(SECOND)]);
        const next = new Post({ limits: LIMITS, journal: reopened(post.journal) });
        next.reply = () => reply;
        posts.push(next);
        await next.notices.resume();
      },
    };
    for (const event of events) {
      const post = posts.at(-1) as Post;
      await actions[event]?.(post);
      if (event in REPLIES) reply = REPLIES[event as keyof typeof REPLIES];
      post.reply = () => reply;
    }
    await Promise.all([(posts.at(-1) as Post).notices.stop(0), pass(SECOND)]);
    const told = posts.flatMap(({ outcomes }) => outcomes);
    const kept = [...(posts.at(-1) as Post).journal.notices.values()];
    return Array.from({ length: count }, (_, number) => ({
      told: told.filter((each) => each.startsWith(`a n${number} `)).map((each) => each.split(' ')[2]),
      row: kept.find(({ notice }) => notice.output === `n${number}`),
    }));
  }

  it('each notice is taken, given up and kept, or still there; none is lost, none is told twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), async (events) => {
        const notices = await play(events);
        for (const { told, row } of notices) {
          const [end, ...more] = told.filter((each) => each !== 'retrying');
          expect(more).toEqual([]);
          expect(told.length).toBeLessThanOrEqual(LIMITS.attempts);
          if (end === 'sent') expect(row).toBeUndefined();
          else if (end) expect(row).toMatchObject({ dead: true, error: expect.any(String) });
          else expect(row).toMatchObject({ attempts: told.length });
        }
        const waiting = notices.filter(({ row }) => row && !row.dead);
        expect(waiting.length).toBeLessThanOrEqual(LIMITS.maxPending);
      }),
      { numRuns: 200 },
    );
  });
});
