import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import type { DatedProgress, OpenPlan, Progress } from '../../model/journal.ts';
import type { Outcome, StepEnd } from '../../model/outcome.ts';
import type { PlannedRule } from '../../model/rule.ts';
import type { Guard } from '../guards/guard.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { action, alertBody, allowAll, failure, IGNORED, type Play, rule, SUCCESS, World } from '../test-pipeline.ts';
import { PlanHistory } from './resume.ts';

/** An action as it would behave in the world: its effects in order, tries that find the other side busy, its end. */
interface Deed {
  readonly continue: boolean;
  readonly ignore_errors: boolean;
  readonly idempotent: boolean;
  /** A call may be made several times. */
  readonly effects: readonly ('label' | 'delete')[];
  readonly busy: boolean;
  readonly end: Outcome;
}

const deed: fc.Arbitrary<Deed> = fc.record({
  continue: fc.boolean(),
  ignore_errors: fc.boolean(),
  idempotent: fc.boolean(),
  effects: fc.array(fc.constantFrom('label', 'delete'), { maxLength: 3 }),
  busy: fc.boolean(),
  end: fc.constantFrom(SUCCESS, IGNORED, failure()),
});
const plan = fc.array(fc.array(deed, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

/** The world in which the actions of a plan act, and what happens to it. It outlives servers. */
class Surroundings {
  readonly rules: readonly PlannedRule[];
  /** Effects that were made, as `action call`, in order. */
  readonly made: string[] = [];
  /** Actions of which a try began. */
  readonly tried: string[] = [];
  readonly #deeds = new Map<string, Deed>();
  readonly #busy: Set<string>;

  /** @param after progress of the plan up to which all is over already */
  constructor(deeds: readonly (readonly Deed[])[], after: readonly Progress[] = []) {
    let number = 0;
    this.rules = deeds.map((actions, index) =>
      rule(
        `R${index}`,
        actions.map((each) => {
          this.#deeds.set(String(number), each);
          const { ignore_errors } = each;
          return action(String(number++), { continue: each.continue, ignore_errors, retry: { attempts: 3 } });
        }),
      ),
    );
    const past = after.flatMap((each) => (each.kind === 'retrying' ? [String(each.step)] : []));
    this.#busy = new Set([...this.#deeds].flatMap(([name, { busy }]) => (busy && !past.includes(name) ? [name] : [])));
  }

  /** Goes on with a plan, from the beginning or from some progress. Returns the journal afterwards. */
  async run(progress: readonly DatedProgress[] | undefined): Promise<World> {
    const policy = { revision: 'r', rules: this.rules, guard: allowAll };
    const names = [...this.#deeds.keys()];
    const world = new World(Object.fromEntries(names.map((name) => [name, [this.#play(name)]])), {
      journal: new MemoryJournal(progress ? [openPlan(this.rules, progress)] : []),
      policyOf: async () => policy,
      behaviours: Object.fromEntries([...this.#deeds].map(([name, { idempotent }]) => [name, { idempotent }])),
    });
    if (progress) await world.pipeline.resume(await world.journal.openPlans());
    else await world.admit(this.rules);
    await world.lanes.idle();
    return world;
  }

  #play(name: string): Play {
    const { effects, end } = this.#deeds.get(name) as Deed;
    return async ({ record }) => {
      this.tried.push(name);
      for (const call of effects) {
        if (record.take(call)) continue;
        await record.begins(call, 'door', false);
        this.made.push(`${name} ${call}`);
        await record.answers(call, 'door', null);
      }
      return this.#busy.delete(name) ? failure('busy') : end;
    };
  }
}

function openPlan(rules: readonly PlannedRule[], progress: readonly DatedProgress[]): OpenPlan {
  const alert = {
    id: 1,
    at: 0,
    key: 'k',
    revision: 'r',
    rules: rules.map((_, index) => index),
    traceId: 't',
    body: alertBody(),
  };
  return { alert, progress };
}

function progressOf(world: World): readonly DatedProgress[] {
  return world.journal.plans.get(1)?.progress ?? [];
}

function endsOf(progress: readonly Progress[]): readonly string[] {
  return progress.flatMap((each) => (each.kind === 'ended' ? [`${each.step} ${codeOf(each.end)}`] : []));
}

function codeOf(end: StepEnd): string {
  return end.status === 'failure' ? end.code : end.status;
}

function count(texts: readonly string[], text: string): number {
  return texts.filter((each) => each === text).length;
}

/** The step that was in the middle of an effect that must not be made twice. */
function inFlight(progress: readonly Progress[]): number | undefined {
  const last = progress.at(-1);
  return last?.kind === 'began' ? last.step : undefined;
}

describe('a plan that is gone on with', () => {
  it('comes to the same ends from wherever it was cut off, and repeats nothing that is done', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(), async (deeds, at) => {
        const whole = new Surroundings(deeds);
        const all = progressOf(await whole.run(undefined));
        const cut = all.slice(0, at % (all.length + 1));
        const rest = new Surroundings(deeds, cut);
        const world = await rest.run(cut);
        const resumed = progressOf(world);

        const interrupted = inFlight(cut);
        if (interrupted === undefined) expect(endsOf(resumed)).toEqual(endsOf(all));
        else expect(endsOf(resumed)).toContain(`${interrupted} interrupted`);
        for (const each of cut) {
          if (each.kind === 'ended') expect(rest.tried).not.toContain(String(each.step));
        }
        const answered = cut.flatMap((each) => (each.kind === 'answered' ? [`${each.step} ${each.call}`] : []));
        for (const effect of rest.made) {
          expect(count(rest.made, effect) + count(answered, effect)).toBeLessThanOrEqual(count(whole.made, effect));
        }
        expect(world.journal.plans.get(1)?.state).not.toBe('open');
      }),
      { numRuns: 300 },
    );
  });

  it('makes an effect again that was under way where the rule says so', async () => {
    const deeds = [
      [{ continue: true, ignore_errors: false, idempotent: false, effects: ['delete'], busy: false, end: SUCCESS }],
    ] as const;
    const cut = [
      { kind: 'started', step: 0, attempt: 1, at: 0 },
      { kind: 'began', step: 0, call: 'delete', door: 'door', at: 0 },
    ] as const;
    const again = new Surroundings(deeds);
    const [first] = again.rules[0]?.actions ?? [];
    Object.assign(first ?? {}, { on_interrupt: 'retry' });
    expect(endsOf(progressOf(await again.run(cut)))).toEqual(['0 success']);
    expect(again.made).toEqual(['0 delete']);
    const never = new Surroundings(deeds);
    expect(endsOf(progressOf(await never.run(cut)))).toEqual(['0 interrupted']);
    expect(never.made).toEqual([]);
  });

  it.each(['gone', 'replaced'])(
    'stays with the very pod on which it has had effects, though that is %s by now',
    async (now) => {
      const pod = { kind: 'pod', namespace: 'shop', name: 'web', uid: 'the first' } as const;
      const progress = [
        { kind: 'started', step: 0, attempt: 1, pod, at: 0 },
        { kind: 'answered', step: 0, call: 'delete', door: 'door', answer: null, at: 0 },
      ] as const;
      const rules = [rule('R', [action('a')])];
      const guard: Guard = async () => {
        if (now === 'gone') throw new DoorError('not-found', 'gone');
        return { kind: 'allow', pod: { ...pod, uid: 'the second' }, budgets: [], monitored: [] };
      };
      const seen: unknown[] = [];
      const play: Play = ({ pod: given, record }) => {
        seen.push(given?.uid, record.take('delete'));
        return SUCCESS;
      };
      const resume = async (upTo: number) => {
        const journal = new MemoryJournal([openPlan(rules, progress.slice(0, upTo))]);
        const world = new World({ a: [play] }, { journal, policyOf: async () => ({ revision: 'r', rules, guard }) });
        await world.pipeline.resume(await journal.openPlans());
        await world.lanes.idle();
        return endsOf(progressOf(world));
      };
      expect(await resume(2)).toEqual(['0 success']);
      expect(seen.splice(0)).toEqual(['the first', { answer: null }]);
      expect(await resume(1)).toEqual([now === 'gone' ? '0 not-found' : '0 success']);
      expect(seen).toEqual(now === 'gone' ? [] : ['the second', undefined]);
    },
  );

  it('is dead when its steps end the server again and again', async () => {
    const deeds = [
      [{ continue: true, ignore_errors: false, idempotent: true, effects: [], busy: false, end: SUCCESS }],
    ] as const;
    const tries = (number: number): DatedProgress[] =>
      Array.from({ length: number }, () => ({ kind: 'started', step: 0, attempt: 1, at: 0 }));
    const often = new Surroundings(deeds);
    const world = await often.run(tries(10));
    expect(often.tried).toEqual([]);
    expect(world.journal.plans.get(1)).toMatchObject({ state: 'dead', reason: expect.stringContaining('10 times') });
    const enough = new Surroundings(deeds);
    expect((await enough.run(tries(9))).journal.plans.get(1)).toMatchObject({ state: 'done' });
    const answer = { kind: 'answered', step: 0, call: 'other', door: 'pods.evict', answer: null, at: 0 } as const;
    const goesFurther = new Surroundings(deeds);
    const further = await goesFurther.run([...tries(9), answer, ...tries(8)]);
    expect(further.journal.plans.get(1)).toMatchObject({ state: 'done' });
    const reopened = new Surroundings(deeds);
    const afterwards = await reopened.run([...tries(10), { kind: 'reopened', at: 0 }]);
    expect(afterwards.journal.plans.get(1)).toMatchObject({ state: 'done' });
  });

  it.each([
    ['rules', undefined, 'revision r'],
    ['indices', { revision: 'r', rules: [], guard: allowAll }, 'does not have'],
  ])('is dead when its %s are gone', async (_, policy, reason) => {
    const rules = [rule('R', [action('a')])];
    const world = new World(
      { a: [SUCCESS] },
      { journal: new MemoryJournal([openPlan(rules, [])]), policyOf: async () => policy },
    );
    expect(await world.pipeline.resume(await world.journal.openPlans())).toBe(0);
    expect(world.journal.plans.get(1)).toMatchObject({ state: 'dead', reason: expect.stringContaining(reason) });
    expect(world.shown).toEqual([expect.stringContaining('closed dead')]);
  });
});

describe('PlanHistory', () => {
  it('runs failed, denied and parked steps again once an operator wants it, and no others', () => {
    const ends: readonly StepEnd[] = [
      SUCCESS,
      failure(),
      IGNORED,
      { status: 'denied', policy: 'P', reason: '', objects: {} },
      { status: 'parked', policy: 'P', reason: '', objects: {} },
    ];
    const ended = ends.map((end, step): Progress => ({ kind: 'ended', step, end }));
    const history = new PlanHistory([...ended, { kind: 'reopened' }]);
    expect(ends.map((_, step) => history.step(step).end?.status)).toEqual([
      'success',
      undefined,
      'ignored',
      undefined,
      undefined,
    ]);
    const allowed = new PlanHistory([...ended, { kind: 'reopened', allow: true }]);
    expect(ends.map((_, step) => allowed.step(step).allowed)).toEqual([false, false, false, false, true]);
  });
});
