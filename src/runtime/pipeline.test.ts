import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { DoorError } from '../model/door-error.ts';
import type { PlannedAction } from '../model/rule.ts';
import type { Guard } from './guards/guard.ts';
import { Lanes } from './lanes.ts';
import { action, alertBody, failure, IGNORED, rule, type Script, SUCCESS, World } from './test-pipeline.ts';

const DONE = [SUCCESS];
const FAILED = [failure()];

describe('Pipeline', () => {
  it('tells event, match, start and end in order', async () => {
    const { shown } = await new World({ Label: DONE }).run([rule('R', [action('Label')])]);
    expect(shown).toEqual(['event', 'match R', 'started Label', 'ended Label success']);
  });

  it('tells no event where all of them were told when they came in', async () => {
    const { shown } = await new World({ Label: DONE }, { logsEvents: false }).run([rule('R', [action('Label')])]);
    expect(shown).toEqual(['match R', 'started Label', 'ended Label success']);
  });

  it.each<[string, Script, readonly PlannedAction[], readonly string[]]>([
    ['all succeed', { a: DONE, b: DONE }, [action('a'), action('b')], ['a success', 'b success']],
    [
      'continue false ends the rule',
      { a: DONE, b: DONE },
      [action('a', { continue: false }), action('b')],
      ['a success'],
    ],
    ['a failure ends the rule', { a: FAILED, b: DONE }, [action('a'), action('b')], ['a failure']],
    [
      'an ignored failure does not',
      { a: FAILED, b: DONE },
      [action('a', { ignore_errors: true }), action('b')],
      ['a failure', 'b success'],
    ],
    [
      'but continue false does even then',
      { a: FAILED, b: DONE },
      [action('a', { ignore_errors: true, continue: false }), action('b')],
      ['a failure'],
    ],
    [
      'an action that was ignored is no error',
      { a: [IGNORED], b: DONE },
      [action('a'), action('b')],
      ['a ignored', 'b success'],
    ],
    [
      'an ignored one with continue false stops',
      { a: [IGNORED], b: DONE },
      [action('a', { continue: false }), action('b')],
      ['a ignored'],
    ],
  ])('%s', async (_, script, actions, expected) => {
    const { shown } = await new World(script).run([rule('R', actions)]);
    expect(shown.filter((each) => each.startsWith('ended'))).toEqual(expected.map((each) => `ended ${each}`));
  });

  it('runs the next rule whatever the actions of the one before came to, and closes the plan as failed', async () => {
    const world = await new World({ a: FAILED, b: DONE }).run([rule('R1', [action('a')]), rule('R2', [action('b')])]);
    expect(world.shown.filter((each) => !each.startsWith('started'))).toEqual([
      'event',
      'match R1',
      'ended a failure',
      'match R2',
      'ended b success',
      'closed failed: refused',
    ]);
    expect([...world.journal.plans.values()].map(({ state }) => state)).toEqual(['failed']);
  });

  it.each<[string, Script[string], string]>([
    ['lacks a field', ['missing'], 'missing pod name'],
    ['names a pod that is gone', [failure('not-found')], 'not-found'],
  ])('neither ends nor notifies an action whose alert %s', async (_, outcome, error) => {
    const world = await new World({ a: outcome, b: DONE }).run([rule('R', [action('a'), action('b')])]);
    expect(world.shown).toContain(`check_failed a ${error}`);
    expect(world.shown.some((each) => each.startsWith('ended'))).toBe(false);
    expect(world.notified).toEqual([]);
  });

  it('says of an actionner that it does not know, and goes on if errors are ignored', async () => {
    const strange = { ...action('a', { ignore_errors: true }), actionner: 'x:y' };
    const { shown } = await new World({ b: DONE }).run([rule('R', [strange, action('b')])]);
    expect(shown).toContain("check_failed a unknown actionner 'x:y'");
    expect(shown).toContain('ended b success');
  });

  it('notifies of the end of a step, also of a failure', async () => {
    const actions = [action('a'), action('b'), action('c')];
    const { notified } = await new World({ a: DONE, b: [IGNORED], c: FAILED }).run([rule('R', actions)]);
    expect(notified).toEqual(['a success', 'b ignored', 'c failure']);
  });

  it('only says what it would do in a dry run, and stops where a success would', async () => {
    const actions = [action('a'), action('b', { continue: false }), action('c')];
    const dry = await new World({}).run([rule('R', actions, { dry_run: true })]);
    expect(dry.shown).toEqual(['event', 'match R', 'dry_run a', 'dry_run b']);
    const all = await new World({}, { dryRun: true }).run([rule('R', actions)]);
    expect(all.shown).toEqual(['event', 'match R', 'dry_run a', 'dry_run b']);
    expect([...dry.notified, ...all.notified]).toEqual([]);
    expect([...all.journal.plans.values()].map(({ state }) => state)).toEqual(['done']);
  });

  it('abandons a plan when our own code fails, closes it, and handles the next', async () => {
    const world = new World({ a: ['throws'], b: DONE });
    await world.admit([rule('R', [action('a')]), rule('R2', [action('b')])], alertBody({ output: '1' }));
    await world.admit([rule('R2', [action('b')])], alertBody({ output: '2' }));
    await world.lanes.idle();
    expect(world.shown).toContain('crashed R: a defect');
    expect(world.shown.filter((each) => each === 'ended b success')).toHaveLength(1);
    expect([...world.journal.plans.values()].map(({ state }) => state)).toEqual(['failed', 'done']);
  });

  describe('guards', () => {
    const stop =
      (kind: 'denied' | 'parked'): Guard =>
      async ({ step }) =>
        step.action.action === 'a'
          ? { kind, policy: 'P', reason: 'off limits', monitored: [] }
          : { kind: 'allow', budgets: [], monitored: [] };

    it('take part as an error where they deny', async () => {
      const guard = stop('denied');
      const denied = await new World({ a: DONE, b: DONE }, { guard }).run([rule('R', [action('a'), action('b')])]);
      expect(denied.shown).toEqual(['event', 'match R', 'denied a off limits', 'closed failed: P: off limits']);
      expect(denied.notified).toEqual(['a denied']);
      const ignored = new World({ a: DONE, b: DONE }, { guard });
      await ignored.run([rule('R', [action('a', { ignore_errors: true }), action('b')])]);
      expect(ignored.shown).toContain('ended b success');
    });

    it('stop the whole plan where they park it, until an operator lets it go on', async () => {
      let open = false;
      const guard: Guard = async (step) =>
        open ? { kind: 'allow', budgets: [], monitored: [] } : stop('parked')(step);
      const rules = [rule('R', [action('a', { ignore_errors: true }), action('b')]), rule('R2', [action('b')])];
      const world = new World({ a: DONE, b: DONE }, { guard, policyOf: async () => ({ revision: 'r', rules, guard }) });
      world.journal.onReopened((plan) => void world.pipeline.resume([plan]));
      await world.run(rules);
      expect(world.shown).toEqual(['event', 'match R', 'parked a off limits', 'closed parked: P: off limits']);
      open = true;
      world.journal.reopen(1);
      await expect.poll(() => world.journal.plans.get(1)?.state).toBe('done');
      await world.lanes.idle();
      expect(world.shown.slice(4)).toEqual([
        'resumed',
        'started a',
        'ended a success',
        'started b',
        'ended b success',
        'match R2',
        'started b',
        'ended b success',
      ]);
    });

    it('have their budgets recorded before the step runs, once for all tries', async () => {
      const taken = [['k'], []];
      const guard: Guard = async () => ({
        kind: 'allow',
        budgets: taken.shift() ?? [],
        monitored: [{ policy: 'M', reason: 'm' }],
      });
      const world = await new World({ a: [failure('busy'), SUCCESS] }, { guard }).run([rule('R', [action('a')])]);
      const progress = world.journal.plans.get(1)?.progress.map(({ kind }) => kind);
      expect(progress).toEqual(['reserved', 'started', 'retrying', 'started', 'ended']);
      expect(world.shown.filter((each) => each.startsWith('monitored'))).toEqual(['monitored a m']);
    });

    it('whose lookups fail are tried again as the action would be, or find no target', async () => {
      let asked = 0;
      const guard: Guard = async () => {
        if (asked++ === 0) throw new DoorError('busy', 'too many requests');
        throw new DoorError('not-found', "the pod 'web' doesn't exist");
      };
      const { shown } = await new World({ a: DONE }, { guard }).run([rule('R', [action('a')])]);
      expect(shown.slice(2, 4)).toEqual(['retrying a 1', "check_failed a the pod 'web' doesn't exist"]);
    });
  });

  describe('tries', () => {
    const tries = ({ shown }: World) => shown.filter((each) => /retrying|ended/.test(each));

    it('are repeated for what may pass, as often as allowed', async () => {
      const passing = await new World({ a: [failure('busy'), failure('conflict'), SUCCESS] }).run([
        rule('R', [action('a')]),
      ]);
      expect(tries(passing)).toEqual(['retrying a 1', 'retrying a 2', 'ended a success']);
      const lasting = await new World({ a: [failure('busy')] }).run([rule('R', [action('a')])]);
      expect(tries(lasting)).toEqual(['retrying a 1', 'retrying a 2', 'ended a failure']);
      const own = await new World({ a: [failure('busy')] }).run([rule('R', [action('a', { retry: { attempts: 2 } })])]);
      expect(tries(own)).toEqual(['retrying a 1', 'ended a failure']);
    });

    it.each(['refused', 'deadline', 'limit', 'door', 'bug'] as const)('are not repeated after %s', async (code) => {
      const world = await new World({ a: [failure(code), SUCCESS] }).run([rule('R', [action('a')])]);
      expect(tries(world)).toEqual(['ended a failure']);
    });

    it('are made once by default where they must not be made twice', async () => {
      const behaviours = { a: { idempotent: false } };
      const world = await new World({ a: [failure('busy'), SUCCESS] }, { behaviours }).run([rule('R', [action('a')])]);
      expect(tries(world)).toEqual(['ended a failure']);
    });

    it.each([
      [false, ['ended a failure']],
      [true, ['retrying a 1', 'ended a success']],
    ])(
      'follow an API that was away, unless an effect may have been made that must not be twice: %s',
      async (idempotent, expected) => {
        const away: Script[string][number] = async ({ record }) => {
          await record.begins('c', 'd', false);
          await record.fails('c', 'd', new DoorError('unreachable', 'no answer'));
          return failure('unreachable');
        };
        const world = await new World({ a: [away, SUCCESS] }, { behaviours: { a: { idempotent } } }).run([
          rule('R', [action('a')]),
        ]);
        expect(tries(world)).toEqual(expected);
      },
    );

    it('do not count while the API is away, but end after a time', async () => {
      const away = Array.from({ length: 6 }, () => failure('unreachable'));
      const back = await new World({ a: [...away, SUCCESS] }).run([rule('R', [action('a')])]);
      expect(tries(back).at(-1)).toBe('ended a success');
      expect(tries(back)).toHaveLength(7);
      const retry = { attempts: 3, backoff_milliseconds: 1, unreachable_seconds: 0 };
      const gone = await new World({ a: [failure('unreachable')] }, { retry }).run([rule('R', [action('a')])]);
      expect(tries(gone)).toEqual(['ended a failure']);
    });
  });

  describe('an API that does not answer', () => {
    /** Asks the API that all steps share. */
    const ask = (outside: { away: boolean; asked: number }, world: () => World): Script[string][number] => {
      const call = () =>
        world().apis.call('kubernetes', new AbortController().signal, async () => {
          outside.asked++;
          if (outside.away) throw new DoorError('unreachable', 'no answer');
        });
      return () =>
        call().then(
          () => SUCCESS,
          () => failure('unreachable'),
        );
    };
    const uses = ['pods.label'] as const;

    it('is asked by one plan at a time, and all go on in order when it is back', async () => {
      const outside = { away: true, asked: 0 };
      const behaviours = { a: { uses: uses as never } };
      const lanes = new Lanes({ tasks: 100, bytes: 100_000, perLane: 100, running: 2 });
      const world: World = new World({ a: [ask(outside, () => world)] }, { behaviours, lanes });
      const numbers = Array.from({ length: 40 }, (_, index) => String(index));
      for (const output of numbers) {
        const body = alertBody({ output, pod: `pod-${Number(output) % 20}` });
        expect(await world.admit([rule('R', [action('a')])], body)).toBe('accepted');
      }
      await expect.poll(() => world.apis.silent(['kubernetes'])).toBe(true);
      await expect.poll(() => lanes.running).toBe(0);
      expect(outside.asked).toBeLessThan(numbers.length);
      outside.away = false;
      await lanes.idle();
      const ends = world.told.filter(({ kind }) => kind === 'ended');
      expect(ends).toHaveLength(40);
      expect(new Set(world.shown.filter((each) => each.startsWith('ended')))).toEqual(new Set(['ended a success']));
    });

    it('is waited for no longer than allowed', async () => {
      const outside = { away: true, asked: 0 };
      const behaviours = { a: { uses: uses as never } };
      const retry = { attempts: 3, backoff_milliseconds: 1, unreachable_seconds: 1 };
      const world: World = new World({ a: [ask(outside, () => world)] }, { behaviours, retry });
      await world.run([rule('R', [action('a')])]);
      expect(world.shown.at(-2)).toBe('ended a failure');
      expect(outside.asked).toBeGreaterThan(0);
    });
  });

  describe('admission', () => {
    const rules = [rule('R', [action('a')])];

    it('takes the same text once in the window, and no answer comes before the first is on disk', async () => {
      const world = new World({ a: DONE });
      const answered: string[] = [];
      const bodies = [
        alertBody({ output: 'x' }),
        alertBody({ output: 'x', rule: 'other' }),
        alertBody({ output: 'y' }),
      ];
      const answers = bodies.map(async (body) => {
        const answer = await world.admit(rules, body);
        answered.push(answer);
        return answer;
      });
      await Promise.resolve();
      expect(answered).toEqual([]);
      expect(await Promise.all(answers)).toEqual(['accepted', 'duplicate', 'accepted']);
      await world.lanes.idle();
      expect(world.told.filter(({ kind }) => kind === 'ended')).toHaveLength(2);
      expect(world.told.filter(({ kind }) => kind === 'duplicate')).toHaveLength(1);
    });

    it('refuses what cannot be stored and all that repeats it, and leaves no trace of it', async () => {
      const world = new World({ a: DONE });
      world.journal.faults.stores = false;
      const answers = [world.admit(rules), world.admit(rules)];
      expect(await Promise.all(answers)).toEqual(['not_stored', 'not_stored']);
      expect([world.lanes.size, world.told]).toEqual([0, []]);
      world.journal.faults.stores = true;
      expect(await world.admit(rules)).toBe('accepted');
      await world.lanes.idle();
    });

    it.each([
      ['lanes are full', new Lanes({ tasks: 1, bytes: 1_000, perLane: 1, running: 1 })],
      ['lane is full', new Lanes({ tasks: 10, bytes: 10_000, perLane: 1, running: 1 })],
    ])('leaves no trace of an alert whose %s', async (_, lanes) => {
      const world = new World({ a: DONE }, { lanes });
      const answers = ['1', '2', '1'].map((output) => world.admit(rules, alertBody({ output })));
      expect(await Promise.all(answers)).toEqual(['accepted', 'full', 'duplicate']);
      await world.lanes.idle();
      expect(await world.admit(rules, alertBody({ output: '2' }))).toBe('accepted');
      await world.lanes.idle();
    });

    it('takes none while the journal has no room', async () => {
      const onFull = vi.fn();
      const world = new World({ a: DONE }, { onFull });
      world.journal.faults.room = false;
      expect(await world.admit(rules)).toBe('full');
      expect(world.lanes.size).toBe(0);
      expect(onFull).toHaveBeenCalledOnce();
    });

    it('keeps nothing of the request of an alert that waits', async () => {
      const world = new World(
        { slow: ['hangs'] },
        { lanes: new Lanes({ tasks: 10, bytes: 10_000, perLane: 10, running: 1 }) },
      );
      const slow = [rule('Slow', [action('slow')])];
      await world.admit(slow, alertBody({ output: '1' }));
      const requests = [alertBody({ output: '2' }), alertBody({ output: '3' })].map((body) => {
        const request = { body: 'and all that belongs to it' };
        const head = { rule: '', priority: '', source: 'syscall', output: String(body), trace_id: 't' };
        const matched = { head, body, policy: world.policy(slow), rules: [0] };
        const answered = new Promise<void>((resolve) => {
          world.pipeline.admit(matched, (admission) => resolve(void Object.assign(request, { admission })));
        });
        return { answered, request: new WeakRef(request) };
      });
      await Promise.all(requests.map(({ answered }) => answered));
      await new Promise((resolve) => setTimeout(resolve, 10));
      setFlagsFromString('--expose-gc');
      (runInNewContext('gc') as () => void)();
      expect(requests.map(({ request }) => request.deref())).toEqual([undefined, undefined]);
      expect(world.lanes.size).toBe(3);
      world.over.abort();
      world.stopping.abort();
    });

    it('keeps the order for one pod and lets others pass', async () => {
      const world = new World({ slow: ['hangs'], a: DONE });
      await world.admit([rule('Slow', [action('slow')])], alertBody({ output: '1', pod: 'web' }));
      await world.admit([rule('Behind', [action('a')])], alertBody({ output: '2', pod: 'web' }));
      await world.admit([rule('Other', [action('a')])], alertBody({ output: '3', pod: 'db' }));
      await expect.poll(() => world.shown).toContain('match Other');
      expect(world.shown).not.toContain('match Behind');
      world.over.abort();
      world.stopping.abort();
      await world.lanes.idle();
    });
  });

  describe('the end of the server', () => {
    it('lets the running step end and starts no other; the plan stays open', async () => {
      let finish = () => {};
      const slow = () => new Promise<typeof SUCCESS>((resolve) => (finish = () => resolve(SUCCESS)));
      const world = new World({ a: [slow], b: DONE });
      await world.admit([rule('R', [action('a'), action('b')])]);
      await expect.poll(() => world.shown).toContain('started a');
      world.stopping.abort();
      world.lanes.close();
      finish();
      await world.lanes.idle();
      expect(world.shown.slice(2)).toEqual(['started a', 'ended a success']);
      expect(world.journal.plans.get(1)).toMatchObject({ state: 'open' });
    });

    it('gives up what does not end, without an end in the journal', async () => {
      const world = new World({ a: ['hangs'] });
      await world.admit([rule('R', [action('a')])]);
      await expect.poll(() => world.shown).toContain('started a');
      world.stopping.abort();
      world.lanes.close();
      world.over.abort();
      await world.lanes.idle();
      expect(world.journal.plans.get(1)?.progress.map(({ kind }) => kind)).toEqual(['started', 'retrying']);
      expect(world.journal.plans.get(1)?.state).toBe('open');
    });

    it('does not wait for what waits', async () => {
      const retry = { attempts: 3, backoff_milliseconds: 3_600_000, unreachable_seconds: 600 };
      const world = new World({ a: [failure('busy')] }, { retry });
      await world.admit([rule('R', [action('a')])]);
      await expect.poll(() => world.shown).toContain('retrying a 1');
      world.stopping.abort();
      world.lanes.close();
      await world.lanes.idle();
      expect(world.journal.plans.get(1)?.state).toBe('open');
      expect(world.shown).not.toContain('ended a failure');
    });
  });
});
