import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AcceptedAlert, Conclusion, Progress } from '../model/journal.ts';
import { DedupWindow } from './dedup.ts';
import { MemoryJournal } from './memory-journal.ts';
import { action, alertBody, failure, type Play, rule, SUCCESS, World } from './test-pipeline.ts';

/** The moment at which a server is killed: after so many things that outlive it. */
class Fate {
  #left: number;
  constructor(left: number) {
    this.#left = left;
  }

  get isDead(): boolean {
    return this.#left <= 0;
  }

  /** To be called after each of those things; does not return once the server is dead. */
  async survive(): Promise<void> {
    if (this.isDead || --this.#left <= 0) await new Promise(() => undefined);
  }
}

/** A journal whose server is killed. What it has by then is there for the next one. */
class MortalJournal extends MemoryJournal {
  readonly #fate: Fate;

  constructor(fate: Fate, before: MemoryJournal | undefined) {
    const plans = [...(before?.plans.values() ?? [])];
    super(plans);
    for (const { alert, state, reason } of plans) Object.assign(this.plans.get(alert.id) ?? {}, { state, reason });
    this.#fate = fate;
  }

  override accept(alert: AcceptedAlert, recorded: (stored: boolean) => void): void {
    if (this.#fate.isDead) return;
    super.accept(alert, (stored) => void this.#fate.survive().then(() => recorded(stored)));
  }

  override append(alert: number, progress: Progress, conclusion?: Conclusion): Promise<void> {
    return this.#write(() => super.append(alert, progress, conclusion));
  }

  override close(alert: number, conclusion: Conclusion): Promise<void> {
    return this.#write(() => super.close(alert, conclusion));
  }

  async #write(write: () => Promise<void>): Promise<void> {
    if (this.#fate.isDead) await this.#fate.survive();
    const written = write();
    await this.#fate.survive();
    await written;
  }
}

interface Deed {
  readonly idempotent: boolean;
  readonly effects: number;
  readonly busy: boolean;
  readonly fails: boolean;
  readonly ignored: boolean;
}

const deed: fc.Arbitrary<Deed> = fc.record({
  idempotent: fc.boolean(),
  effects: fc.nat(2),
  busy: fc.boolean(),
  fails: fc.boolean(),
  ignored: fc.boolean(),
});

interface Effect {
  readonly output: string;
  readonly action: string;
  readonly call: string;
}

/** What outlives servers: the pods, and those who send alerts about them. */
class Outside {
  readonly effects: Effect[] = [];
  readonly taken = new Set<string>();
  readonly #deeds: readonly Deed[];
  readonly #wasBusy = new Set<string>();
  readonly rules;

  constructor(deeds: readonly Deed[]) {
    this.#deeds = deeds;
    const settings = (index: number) => ({ ignore_errors: deeds[index]?.ignored ?? false, retry: { attempts: 3 } });
    this.rules = [
      rule(
        'R',
        deeds.map((_, index) => action(String(index), settings(index))),
      ),
    ];
  }

  play(name: string, fate: Fate): Play {
    const { effects, busy, fails } = this.#deeds[Number(name)] as Deed;
    return async ({ record, event: { output } }) => {
      for (let index = 0; index < effects; index++) {
        const call = `${output} ${name} ${index}`;
        if (record.take(call)) continue;
        await record.begins(call, 'door', false);
        if (fate.isDead) await fate.survive();
        this.effects.push({ output, action: name, call });
        await fate.survive();
        await record.answers(call, 'door', null);
      }
      if (fate.isDead) await fate.survive();
      const isFirst = busy && !this.#wasBusy.has(`${output} ${name}`);
      this.#wasBusy.add(`${output} ${name}`);
      if (isFirst) return failure('busy');
      return fails ? failure() : SUCCESS;
    };
  }

  /** A server that lives until all is done or it is killed. */
  async serve(fate: Fate, outputs: readonly string[], before?: MemoryJournal): Promise<MemoryJournal> {
    const journal = new MortalJournal(fate, before);
    const dedup = new DedupWindow(60, () => 0);
    dedup.restore((await journal.acceptedSince(0)).map(({ key }) => ({ key, age: 0 })));
    const names = this.#deeds.map((_, index) => String(index));
    const policy = {
      revision: 'r',
      rules: this.rules,
      guard: async () => ({ kind: 'allow', budgets: [], monitored: [] }) as const,
    };
    const world = new World(Object.fromEntries(names.map((name) => [name, [this.play(name, fate)]])), {
      journal,
      dedup,
      policyOf: async () => policy,
      behaviours: Object.fromEntries(this.#deeds.map(({ idempotent }, index) => [String(index), { idempotent }])),
    });
    await world.pipeline.resume(await journal.openPlans());
    // As senders do: what was not answered is sent again, in order.
    const sending = (async () => {
      for (const output of outputs) {
        if (this.taken.has(output)) continue;
        const admission = await world.admit(this.rules, alertBody({ output, pod: `pod-${Number(output) % 2}` }));
        if (admission === 'accepted' || admission === 'duplicate') this.taken.add(output);
      }
    })();
    const done = sending.then(() => world.lanes.idle());
    let isOver = false;
    void done.then(() => {
      isOver = true;
    });
    while (!isOver && !fate.isDead) await turn();
    return journal;
  }
}

function endsOf(journal: MemoryJournal): Map<string, string[]> {
  const plans = [...journal.plans.values()].map(({ alert, progress }) => {
    const ends = progress.flatMap((each) => (each.kind === 'ended' ? [`${each.step} ${codeOf(each)}`] : []));
    return [alert.key, ends] as const;
  });
  return new Map(plans);
}

function codeOf({ end }: Progress & { kind: 'ended' }): string {
  return end.status === 'failure' ? end.code : end.status;
}

it('does all that was answered, in order and once, however often servers are killed', async () => {
  const kills = fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 6 });
  const plan = fc.array(deed, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(plan, fc.integer({ min: 1, max: 5 }), kills, async (deeds, alerts, moments) => {
      const outputs = Array.from({ length: alerts }, (_, index) => String(index));
      const whole = endsOf(await new Outside(deeds).serve(new Fate(Number.POSITIVE_INFINITY), outputs));

      const outside = new Outside(deeds);
      let journal: MemoryJournal | undefined;
      for (const moment of [...moments, Number.POSITIVE_INFINITY]) {
        journal = await outside.serve(new Fate(moment), outputs, journal);
      }
      const plans = [...(journal as MemoryJournal).plans.values()];
      expect(outside.taken.size).toBe(alerts);
      expect(plans.map(({ alert }) => alert.key).sort()).toEqual([...whole.keys()].sort());
      expect(plans.filter(({ state }) => state === 'open')).toEqual([]);
      for (const [key, ends] of endsOf(journal as MemoryJournal)) {
        if (!ends.some((end) => end.includes('interrupted'))) expect(ends).toEqual(whole.get(key));
      }
      const interrupted = plans
        .flatMap(({ progress }) => progress)
        .filter((each) => each.kind === 'ended' && codeOf(each) === 'interrupted');
      expect(interrupted.length).toBeLessThanOrEqual(moments.length * 2);
      expectOnce(outside.effects, deeds, moments.length);
      expectOrder(outside.effects);
    }),
    { numRuns: 400 },
  );
});

/** What may not be made twice was not, and the rest only as often as servers were killed in the middle of it. */
function expectOnce(effects: readonly Effect[], deeds: readonly Deed[], kills: number): void {
  const counts = new Map<string, number>();
  for (const { call } of effects) counts.set(call, (counts.get(call) ?? 0) + 1);
  for (const { call, action: name } of effects) {
    expect(counts.get(call)).toBeLessThanOrEqual(deeds[Number(name)]?.idempotent ? 1 + kills : 1);
  }
  // At most one of each pod is under way at a kill.
  const repeated = [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
  expect(repeated).toBeLessThanOrEqual(2 * kills);
}

/** Alerts about one pod one after the other, and in each its steps. */
function expectOrder(effects: readonly Effect[]): void {
  for (const pod of [0, 1]) {
    const own = effects.filter(({ output }) => Number(output) % 2 === pod).map(({ call }) => call);
    expect(own).toEqual(own.toSorted());
  }
}
