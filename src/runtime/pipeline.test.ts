import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type Actionner, defineActionner } from '../model/definition.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PlannedAction, PlannedRule } from '../model/rule.ts';
import type { AlertHead, Transition } from '../model/transition.ts';
import { DedupWindow } from './dedup.ts';
import { createGuard, type Guard } from './guard.ts';
import { Lanes } from './lanes.ts';
import { type Admission, Pipeline, type PipelineOptions } from './pipeline.ts';

const SUCCESS: Outcome = { status: 'success', output: 'done', objects: { pod: 'web' } };
const IGNORED: Outcome = { status: 'ignored', result: 'not now', objects: {} };
const FAILURE: Outcome = { status: 'failure', code: 'refused', error: 'no', objects: {} };
const NOT_FOUND: Outcome = { status: 'failure', code: 'not-found', error: "the pod 'web' doesn't exist", objects: {} };

/** What the actions of a rule come to, by their names. */
type Script = Readonly<Record<string, Outcome | 'missing' | 'throws' | 'hangs'>>;

interface World {
  readonly pipeline: Pipeline;
  readonly lanes: Lanes;
  readonly told: Transition[];
  readonly notified: string[];
  readonly abort: AbortController;
}

describe('Pipeline', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells event, match, start and end in order', async () => {
    const { told } = await handled({ Label: SUCCESS }, [rule('R', [action('Label')])]);
    expect(told.map(shown)).toEqual(['event', 'match R', 'started Label', 'ended Label success']);
  });

  it('tells no event where all of them were told when they came in', async () => {
    const { told } = await handled({ Label: SUCCESS }, [rule('R', [action('Label')])], { logsEvents: false });
    expect(told.map(shown)).toEqual(['match R', 'started Label', 'ended Label success']);
  });

  it.each<[string, Script, readonly PlannedAction[], readonly string[]]>([
    ['all succeed', { a: SUCCESS, b: SUCCESS }, [action('a'), action('b')], ['a success', 'b success']],
    [
      'continue false ends the rule',
      { a: SUCCESS, b: SUCCESS },
      [action('a', { continue: false }), action('b')],
      ['a success'],
    ],
    ['a failure ends the rule', { a: FAILURE, b: SUCCESS }, [action('a'), action('b')], ['a failure']],
    [
      'an ignored failure does not',
      { a: FAILURE, b: SUCCESS },
      [action('a', { ignore_errors: true }), action('b')],
      ['a failure', 'b success'],
    ],
    [
      'but continue false does even then',
      { a: FAILURE, b: SUCCESS },
      [action('a', { ignore_errors: true, continue: false }), action('b')],
      ['a failure'],
    ],
    [
      'an action that was ignored is no error',
      { a: IGNORED, b: SUCCESS },
      [action('a'), action('b')],
      ['a ignored', 'b success'],
    ],
    [
      'an ignored one with continue false stops',
      { a: IGNORED, b: SUCCESS },
      [action('a', { continue: false }), action('b')],
      ['a ignored'],
    ],
  ])('%s', async (_, script, actions, expected) => {
    const { told } = await handled(script, [rule('R', actions)]);
    expect(told.filter(({ kind }) => kind === 'ended').map(shown)).toEqual(expected.map((each) => `ended ${each}`));
  });

  it('runs the next rule whatever the actions of the one before came to', async () => {
    const { told } = await handled({ a: FAILURE, b: SUCCESS }, [rule('R1', [action('a')]), rule('R2', [action('b')])]);
    expect(told.map(shown).filter((each) => !each.startsWith('started'))).toEqual([
      'event',
      'match R1',
      'ended a failure',
      'match R2',
      'ended b success',
    ]);
  });

  it.each<[string, Script[string], string]>([
    ['lacks a field', 'missing', 'missing pod name'],
    ['names a pod that is gone', NOT_FOUND, "the pod 'web' doesn't exist"],
  ])('neither ends nor notifies an action whose alert %s', async (_, outcome, error) => {
    const { told, notified } = await handled({ a: outcome, b: SUCCESS }, [rule('R', [action('a'), action('b')])]);
    expect(told.find(({ kind }) => kind === 'check_failed')).toMatchObject({ error, step: { action: 'a' } });
    expect(told.some(({ kind }) => kind === 'ended')).toBe(false);
    expect(notified).toEqual([]);
  });

  it('says of an actionner that it does not know, and goes on if errors are ignored', async () => {
    const strange = { ...action('a', { ignore_errors: true }), actionner: 'x:y' };
    const { told } = await handled({ b: SUCCESS }, [rule('R', [strange, action('b')])]);
    expect(told.map(shown)).toContain("check_failed a unknown actionner 'x:y'");
    expect(told.map(shown)).toContain('ended b success');
  });

  it('notifies of the end of a step, also of a failure', async () => {
    const { notified } = await handled({ a: SUCCESS, b: IGNORED, c: FAILURE }, [
      rule('R', [action('a'), action('b'), action('c')]),
    ]);
    expect(notified).toEqual(['a success', 'b ignored', 'c failure']);
  });

  it('only says what it would do in a dry run, and stops where a success would', async () => {
    const actions = [action('a'), action('b', { continue: false }), action('c')];
    const dry = await handled({}, [{ ...rule('R', actions), dry_run: true }]);
    expect(dry.told.map(shown)).toEqual(['event', 'match R', 'dry_run a', 'dry_run b']);
    const all = await handled({}, [rule('R', actions)], { guard: createGuard({ dryRun: true }) });
    expect(all.told.map(shown)).toEqual(['event', 'match R', 'dry_run a', 'dry_run b']);
    expect([...dry.notified, ...all.notified]).toEqual([]);
  });

  it('takes a stop by the guard as an error', async () => {
    const guard: Guard = ({ action: { action: name } }) =>
      name === 'a' ? { kind: 'deny', policy: 'P', reason: 'kube-system is off limits' } : { kind: 'allow' };
    const stopped = await handled({ b: SUCCESS }, [rule('R', [action('a'), action('b')])], { guard });
    expect(stopped.told.map(shown)).toEqual(['event', 'match R', 'denied a kube-system is off limits']);
    const ignored = await handled({ b: SUCCESS }, [rule('R', [action('a', { ignore_errors: true }), action('b')])], {
      guard,
    });
    expect(ignored.told.map(shown)).toContain('ended b success');
  });

  it('abandons an alert when our own code fails, and handles the next', async () => {
    const world = build({ a: 'throws', b: SUCCESS });
    admit(world, [rule('R', [action('a')]), rule('R2', [action('b')])], alertBody({ output: '1' }));
    admit(world, [rule('R2', [action('b')])], alertBody({ output: '2' }));
    await world.lanes.idle();
    expect(world.told.map(shown)).toContain('crashed R: a defect');
    expect(world.told.map(shown).filter((each) => each === 'ended b success')).toHaveLength(1);
  });

  it('ends an action that takes too long', async () => {
    const { told } = await handled({ a: 'hangs' }, [rule('R', [action('a')])], { actionDeadline: 20 });
    expect(told.map(shown)).toContain('ended a failure');
  });

  it('ends running actions when it is told to stop', async () => {
    const world = build({ a: 'hangs', b: SUCCESS });
    admit(world, [rule('R', [action('a'), action('b')])], alertBody());
    setTimeout(() => world.abort.abort(), 20);
    await world.lanes.idle();
    expect(world.told.map(shown)).toContain('ended a failure');
    expect(world.told.map(shown)).not.toContain('started b');
  });

  describe('admission', () => {
    const rules = [rule('R', [action('a')])];

    it('takes the same text once in the window', async () => {
      const world = build({ a: SUCCESS });
      const answers = [
        alertBody({ output: 'x' }),
        alertBody({ output: 'x', rule: 'other' }),
        alertBody({ output: 'y' }),
      ].map((body) => admit(world, rules, body));
      expect(answers).toEqual(['accepted', 'duplicate', 'accepted']);
      await world.lanes.idle();
      expect(world.told.filter(({ kind }) => kind === 'ended')).toHaveLength(2);
      expect(world.told.filter(({ kind }) => kind === 'duplicate')).toHaveLength(1);
    });

    it('leaves no trace of an alert for which there is no room', async () => {
      const world = build({ a: SUCCESS }, {}, new Lanes({ tasks: 1, bytes: 1_000, running: 1 }));
      expect(admit(world, rules, alertBody({ output: '1' }))).toBe('accepted');
      expect(admit(world, rules, alertBody({ output: '2' }))).toBe('full');
      expect(admit(world, rules, alertBody({ output: '1' }))).toBe('duplicate');
      await world.lanes.idle();
      expect(admit(world, rules, alertBody({ output: '2' }))).toBe('accepted');
      await world.lanes.idle();
    });

    it('keeps the order for one pod and lets others pass', async () => {
      const world = build({ slow: 'hangs', a: SUCCESS });
      admit(world, [rule('Slow', [action('slow')])], alertBody({ output: '1', pod: 'web' }));
      admit(world, [rule('Behind', [action('a')])], alertBody({ output: '2', pod: 'web' }));
      admit(world, [rule('Other', [action('a')])], alertBody({ output: '3', pod: 'db' }));
      await vi.waitFor(() => expect(world.told.map(shown)).toContain('match Other'));
      expect(world.told.map(shown)).not.toContain('match Behind');
      world.abort.abort();
      await world.lanes.idle();
      expect(world.told.map(shown)).toContain('match Behind');
    });
  });
});

async function handled(script: Script, rules: readonly PlannedRule[], options: Partial<PipelineOptions> = {}) {
  const world = build(script, options);
  expect(admit(world, rules, alertBody())).toBe('accepted');
  await world.lanes.idle();
  return world;
}

function build(
  script: Script,
  options: Partial<PipelineOptions> = {},
  lanes = new Lanes({ tasks: 10, bytes: 10_000, running: 10 }),
): World {
  const told: Transition[] = [];
  const notified: string[] = [];
  const abort = new AbortController();
  const pipeline = new Pipeline({
    actionners: new Map(Object.keys(script).map((name) => [`test:${name}`, actionner(name)])),
    executor: {
      missing: (each) => (script[nameOf(each)] === 'missing' ? 'missing pod name' : undefined),
      run: (each, _parameters, _event, signal) => play(script[nameOf(each)] as Script[string], signal),
    },
    guard: createGuard({ dryRun: false }),
    notify: (step, outcome) => void notified.push(`${step.action.action} ${outcome.status}`),
    dedup: new DedupWindow(5, () => 0),
    lanes,
    telemetry: { emit: (transition) => void told.push(transition), accepted: () => undefined },
    logsEvents: true,
    actionDeadline: 5_000,
    signal: abort.signal,
    ...options,
  });
  return { pipeline, lanes, told, notified, abort };
}

async function play(outcome: Script[string], signal: AbortSignal): Promise<Outcome> {
  if (outcome === 'throws') throw new Error('a defect');
  if (outcome !== 'hangs') return outcome as Outcome;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return { status: 'failure', code: 'unreachable', error: 'given up', objects: {} };
}

function admit({ pipeline }: World, rules: readonly PlannedRule[], body: Buffer): Admission {
  const parsed = JSON.parse(body.toString()) as FalcoEvent;
  const head: AlertHead = { rule: parsed.rule, priority: '', source: 'syscall', output: parsed.output, trace_id: 't' };
  return pipeline.admit({ head, body, rules });
}

function alertBody({ output = 'x', rule: name = 'Falco', pod = 'web' } = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ output, rule: name, output_fields: { 'k8s.pod.name': pod, 'k8s.ns.name': 'shop' } }),
  );
}

function rule(name: string, actions: readonly PlannedAction[]): PlannedRule {
  return { rule: name, description: '', continue: true, dry_run: false, notifiers: [], actions, written: {} };
}

function action(name: string, settings: Partial<PlannedAction> = {}): PlannedAction {
  return {
    action: name,
    description: '',
    actionner: `test:${name}`,
    continue: true,
    ignore_errors: false,
    parameters: null,
    additional_contexts: [],
    output: null,
    written: {},
    ...settings,
  };
}

function actionner(name: string): Actionner {
  return defineActionner({
    id: `test:${name}`,
    description: '',
    sources: [],
    continue: true,
    usesContext: false,
    artifact: 'none',
    requires: [],
    parameters: z.object({}),
    example: '',
  }) as Actionner;
}

function nameOf({ id }: Actionner): string {
  return id.slice('test:'.length);
}

function shown(transition: Transition): string {
  switch (transition.kind) {
    case 'match':
      return `match ${transition.rule}`;
    case 'ended':
      return `ended ${transition.step.action} ${transition.outcome.status}`;
    case 'started':
    case 'dry_run':
      return `${transition.kind} ${transition.step.action}`;
    case 'check_failed':
      return `check_failed ${transition.step.action} ${transition.error}`;
    case 'denied':
      return `denied ${transition.step.action} ${transition.reason}`;
    case 'crashed':
      return `crashed ${transition.rule}: ${transition.error}`;
    default:
      return transition.kind;
  }
}
