import { describe, expect, it } from 'vitest';
import type { Output } from '../../model/definition.ts';
import type { Artifact, Outcome } from '../../model/outcome.ts';
import { MemoryJournal } from '../memory-journal.ts';
import type { ArtifactToStore } from '../plugins/run-output.ts';
import { action, failure, rule, SUCCESS, World, type WorldOptions } from '../test-pipeline.ts';

const ARTIFACT: Artifact = { handle: 'a1', name: 'capture.pcap', size: 7, sha256: 'cafe', mediaType: 'x/y' };
const MADE: Outcome = { ...SUCCESS, objects: { pod: 'web', namespace: 'shop' }, artifact: ARTIFACT } as Outcome;
const STORED: Outcome = { status: 'success', output: 'kept', objects: { bucket: 'b' } };
const OUTPUT = { id: 'test:store', behaviour: { uses: ['files.put'] } } as unknown as Output;

interface Store {
  /** What tries to store come to, in turn; the last one for all that follow. */
  readonly stores?: readonly Outcome[];
  /** The same for looks beforehand. */
  readonly checks?: readonly (Outcome & { status: 'failure' })[];
  readonly artifact?: 'optional' | 'required';
}

/** A pipeline whose only action makes an artifact. */
class Storing {
  readonly given: ArtifactToStore[] = [];
  readonly discarded: string[] = [];
  readonly held = new Set([ARTIFACT.handle]);
  readonly world: World;

  constructor(
    made: Outcome,
    { stores = [STORED], checks = [], artifact = 'required' }: Store,
    options: WorldOptions = {},
  ) {
    let checked = 0;
    this.world = new World(
      { capture: [made], after: [SUCCESS] },
      {
        ...options,
        outputs: new Map([['test:store', OUTPUT]]),
        artifacts: { has: (handle) => this.held.has(handle), discard: (handle) => void this.discarded.push(handle) },
        check: async () => checks[checked++],
        store: async (given) => {
          this.given.push(given);
          return stores[Math.min(this.given.length, stores.length) - 1] as Outcome;
        },
        declared: { capture: { artifact } },
      },
    );
  }

  async run(settings: Parameters<typeof action>[1] = {}): Promise<this> {
    const output = { target: 'test:store', parameters: { bucket: 'b' } };
    await this.world.run([rule('R', [action('capture', { output, ...settings }), action('after')])]);
    return this;
  }
}

describe('an action with an output', () => {
  it('hands its artifact over, tells of both, and keeps nothing', async () => {
    const { world, given, discarded } = await new Storing(MADE, {}).run();
    expect(world.shown).toEqual([
      ...['event', 'match R', 'started capture', 'ended capture success', 'stored capture success'],
      ...['started after', 'ended after success'],
    ]);
    expect(given).toHaveLength(1);
    expect(given[0]).toMatchObject({
      artifact: ARTIFACT,
      key: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_shop_web_capture\.pcap$/),
      facts: { rule: 'R', action: 'capture', 'trace-id': 't', sha256: 'cafe' },
    });
    expect(discarded).toEqual(['a1']);
    expect(world.notified).toEqual(['capture success', 'capture success', 'after success']);
  });

  it('cuts the facts that go with it: a door refuses what is too long', async () => {
    const storing = new Storing(MADE, {});
    const output = { target: 'test:store', parameters: { bucket: 'b' } };
    await storing.world.run([rule('R'.repeat(10_000), [action('capture', { output })])]);
    expect(storing.given[0]?.facts.rule).toBe('R'.repeat(300));
  });

  it('says of which pod it is, where the alert does', async () => {
    const { world, given } = new Storing(MADE, {});
    const body = Buffer.from('{"rule": "Shell", "output": "o", "output_fields": {"k8s.pod.uid": "4f1c"}}');
    const output = { target: 'test:store', parameters: { bucket: 'b' } };
    await world.admit([rule('R', [action('capture', { output })])], body);
    await world.lanes.idle();
    expect(given[0]?.facts).toMatchObject({ 'pod-uid': '4f1c' });
  });

  it('is not run where its artifact could not be stored', async () => {
    const { world, given } = await new Storing(MADE, { checks: [failure('refused') as never] }).run();
    expect(world.shown).toEqual(['event', 'match R', 'stored capture failure', 'closed failed: refused']);
    expect(given).toEqual([]);
  });

  it('is run without that look where it need not make one', async () => {
    const checks = [failure('refused') as never];
    const { world } = await new Storing(MADE, { checks, artifact: 'optional' }).run();
    expect(world.shown).toContain('stored capture success');
  });

  it('is tried to be stored again, with the same key, while the other side is busy', async () => {
    const { world, given, discarded } = await new Storing(MADE, {
      stores: [failure('busy'), failure('busy'), STORED],
    }).run();
    expect(world.shown.filter((line) => /retrying|stored/.test(line))).toEqual([
      ...['retrying capture 1', 'retrying capture 2', 'stored capture success'],
    ]);
    expect(new Set(given.map(({ key }) => key)).size).toBe(1);
    expect(discarded).toEqual(['a1']);
  });

  it('fails when it is not stored: the error of the output is that of the action', async () => {
    const { world, discarded } = await new Storing(MADE, { stores: [failure('refused')] }).run();
    expect(world.shown.slice(3)).toEqual(['ended capture success', 'stored capture failure', 'closed failed: refused']);
    expect(discarded).toEqual(['a1']);
    const ignoring = await new Storing(MADE, { stores: [failure('refused')] }).run({ ignore_errors: true });
    expect(ignoring.world.shown).toContain('ended after success');
  });

  it.each([
    [{ ...MADE, artifact: { ...ARTIFACT, size: 0 } } as Outcome, 'empty output'],
    [SUCCESS, 'empty output'],
  ])('refuses what is empty', async (made, error) => {
    const { world } = await new Storing(made, {}).run();
    expect(world.told.find(({ kind }) => kind === 'stored')).toMatchObject({ stored: { outcome: { error } } });
  });

  it('needs nothing to store where it may do without', async () => {
    const { world } = await new Storing(SUCCESS, { artifact: 'optional' }).run();
    expect(world.shown.join()).not.toContain('stored');
  });

  it.each([
    ['required', "unknown output target 'test:none'"],
    ['optional', "unknown target 'test:none'"],
  ] as const)('says that its output is unknown', async (artifact, error) => {
    const { world } = await new Storing(MADE, { artifact }).run({ output: { target: 'test:none', parameters: {} } });
    expect(world.told.find(({ kind }) => kind === 'stored')).toMatchObject({ stored: { outcome: { error } } });
  });
});

describe('after a restart', () => {
  /** A journal with a plan whose capture was made, and the server ended before it was stored. */
  async function interrupted(): Promise<MemoryJournal> {
    const journal = new MemoryJournal();
    const first = new Storing(MADE, { stores: [failure('unreachable')] }, { journal });
    const running = first.run();
    await expect.poll(() => first.given.length).toBeGreaterThan(0);
    first.world.stopping.abort(new Error('stopped'));
    first.world.over.abort(new Error('stopped'));
    await running;
    return journal;
  }

  async function resumed(journal: MemoryJournal, held: boolean): Promise<Storing> {
    const output = { target: 'test:store', parameters: { bucket: 'b' } };
    const rules = [rule('R', [action('capture', { output }), action('after')])];
    const next: Storing = new Storing(MADE, {}, { journal, policyOf: async () => next.world.policy(rules) });
    if (!held) next.held.clear();
    await next.world.pipeline.resume(await journal.openPlans());
    await next.world.lanes.idle();
    return next;
  }

  it('what was made is stored, and not made again', async () => {
    const { world, given } = await resumed(await interrupted(), true);
    expect(world.shown).toEqual(['resumed', 'stored capture success', 'started after', 'ended after success']);
    expect(given).toHaveLength(1);
  });

  it('what was lost is made again where that may be done', async () => {
    const { world } = await resumed(await interrupted(), false);
    expect(world.shown).toEqual([
      ...['resumed', 'started capture', 'ended capture success', 'stored capture success'],
      ...['started after', 'ended after success'],
    ]);
  });
});
