import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Conclusion, Progress } from '../../model/journal.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { action, failure, type Play, rule, SUCCESS, World } from '../test-pipeline.ts';

/** A journal on a disk that is full at times. */
class SlowJournal extends MemoryJournal {
  #room = Promise.resolve();

  fullUntil(room: Promise<void>): void {
    this.#room = room;
  }

  override async append(alert: number, progress: Progress, conclusion?: Conclusion): Promise<void> {
    await this.#room;
    await super.append(alert, progress, conclusion);
  }
}

/** Makes an effect, with which the disk is full, and waits for at most 20 milliseconds until it is recorded. */
function effect(made: string[], journal: SlowJournal, room: () => Promise<void>): Play {
  return ({ record }) => {
    let startClock = () => {};
    const over = new Promise<void>((resolve) => {
      startClock = resolve;
    }).then(() => sleep(20, failure('deadline')));
    const act = async () => {
      if (record.take('c')) return SUCCESS;
      await record.begins('c', 'door', false);
      made.push('c');
      startClock();
      journal.fullUntil(room());
      await record.answers('c', 'door', null);
      return SUCCESS;
    };
    return Promise.race([act(), over]);
  };
}

describe('a step whose time is over because the journal cannot be written', () => {
  it.each([true, false])('goes on with what it has done once that can be (idempotent: %s)', async (idempotent) => {
    const journal = new SlowJournal();
    const made: string[] = [];
    const script = { first: [effect(made, journal, () => sleep(100))], second: [SUCCESS] };
    const world = new World(script, { journal, behaviours: { first: { idempotent } } });
    await world.run([rule('R', [action('first'), action('second')])]);
    expect(made).toEqual(['c']);
    expect(world.shown).toEqual([
      'event',
      'match R',
      'started first',
      'retrying first 1',
      'ended first success',
      'started second',
      'ended second success',
    ]);
    expect(journal.plans.get(1)).toMatchObject({ state: 'done' });
  });

  it('holds nobody else up meanwhile', async () => {
    const journal = new SlowJournal();
    const nobodyRuns = async () => {
      while (world.lanes.running > 0) await sleep(5);
    };
    const world = new World({ first: [effect([], journal, nobodyRuns)] }, { journal });
    await world.run([rule('R', [action('first')])]);
    expect(world.shown).toContain('ended first success');
  });

  it('ends it where its own work took that long', async () => {
    const world = new World({ first: [() => sleep(20, failure('deadline')), SUCCESS] });
    await world.run([rule('R', [action('first')])]);
    expect(world.shown).toContain('ended first failure');
  });
});
