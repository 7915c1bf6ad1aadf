import { describe, expect, it } from 'vitest';
import type { GuardPolicy } from '../model/guard-policy.ts';
import type { StoredPolicy } from '../model/journal.ts';
import { MemoryJournal } from './memory-journal.ts';
import { Policies } from './policies.ts';
import { action, allowAll, rule } from './test-pipeline.ts';

const stored = (revision: string): StoredPolicy => ({ revision, rules: [rule(revision, [action('a')])], guards: [] });

function build() {
  const journal = new MemoryJournal();
  const prepared: string[] = [];
  const guarded: (readonly GuardPolicy[])[] = [];
  const policies = new Policies({
    journal,
    prepare: async ({ revision }) => void prepared.push(revision),
    guardOf: (guards) => {
      guarded.push(guards);
      return allowAll;
    },
  });
  return { journal, policies, prepared, guarded };
}

describe('Policies', () => {
  it('makes a policy the active one when the journal has it, without what only matching needs', async () => {
    const { journal, policies } = build();
    expect(policies.revision).toBe('');
    const matching = { ...rule('first', [action('a')]), match: { rules: ['x'] } };
    const { rules } = await policies.activate({ ...stored('first'), rules: [matching] });
    expect(rules).toEqual([matching]);
    expect(policies.revision).toBe('first');
    expect(journal.policies.get('first')?.rules).toEqual([rule('first', [action('a')])]);
  });

  it('stays with the one before when a new one cannot be kept', async () => {
    const { journal, policies } = build();
    const first = await policies.activate(stored('first'));
    await journal.end();
    await expect(policies.activate(stored('second'))).rejects.toThrow('closed');
    expect(policies.revision).toBe('first');
    expect(await policies.of('first')).toBe(first);
  });

  it('gives plans of before what the journal keeps, once all that it needs is there', async () => {
    const { policies, prepared, guarded } = build();
    await policies.activate(stored('first'));
    await policies.activate(stored('second'));
    expect((await policies.of('first'))?.rules.map((each) => each.rule)).toEqual(['first']);
    expect(prepared).toEqual(['first']);
    expect(guarded).toHaveLength(3);
    expect(await policies.of('third')).toBeUndefined();
  });
});
