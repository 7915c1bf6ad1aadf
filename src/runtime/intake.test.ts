import { describe, expect, it } from 'vitest';
import type { Transition } from '../model/transition.ts';
import { type AlertScanner, type Answer, Intake } from './intake.ts';
import type { Admission, MatchedAlert } from './pipeline.ts';
import type { Policy } from './policy.ts';
import { allowAll } from './test-pipeline.ts';

describe('Intake', () => {
  it('counts an alert that matches nothing, answers at once, and says no more of it', () => {
    const world = build([]);
    world.receive('{"rule":"R"}');
    expect(world.answers).toEqual([[200]]);
    world.accepted.length = 0;
    expect(world.send('{"rule":"R","priority":"Notice","source":"k8s_audit","output":"o"}')).toBe(200);
    expect(world.accepted).toEqual([['R', 'Notice', 'k8s_audit']]);
    expect(world.told).toEqual([]);
    expect(world.admitted).toEqual([]);
  });

  it('says syscall where there is no source, and nothing for what else is absent', () => {
    const world = build([]);
    world.send('{}');
    world.send('{"source":""}');
    expect(world.accepted).toEqual([
      ['', '', 'syscall'],
      ['', '', 'syscall'],
    ]);
  });

  it('refuses what is no alert, uncounted', () => {
    const world = build(-2);
    expect(world.send('{"rule":1}')).toBe(400);
    expect(world.accepted).toEqual([]);
    expect(world.told).toEqual([{ kind: 'refused', reason: 'body' }]);
  });

  it('decodes escapes and repairs what is no UTF-8', () => {
    const world = build([]);
    world.send('{"rule":"a\\"b\\u00e9\\n\\ud83d\\ude00\\ud800","priority":"größe"}');
    world.send(Buffer.from([...Buffer.from('{"rule":"'), 0xff, 0xc3, ...Buffer.from('"}')]));
    expect(world.accepted.map(([rule, priority]) => [rule, priority])).toEqual([
      ['a"bé\n😀\ufffd', 'größe'],
      ['\ufffd\ufffd', ''],
    ]);
  });

  it('hands matched alerts to the pipeline, with the rules in order', () => {
    const world = build([2, 0]);
    const traceId = 'a'.repeat(32);
    const body = '{"rule":"R","priority":"Notice","output":"10:00:00.000000001: Notice It happened"}';
    expect(world.send(body, `00-${traceId}-${'b'.repeat(16)}-01`)).toBe(200);
    expect(world.admitted).toHaveLength(1);
    expect(world.admitted[0]?.rules).toEqual([2, 0]);
    expect(world.admitted[0]?.head).toEqual({
      rule: 'R',
      priority: 'Notice',
      source: 'syscall',
      output: 'It happened',
      trace_id: traceId,
    });
    expect(world.accepted).toHaveLength(1);
  });

  it('answers a matched alert when the pipeline has decided, and counts it then', () => {
    const world = build([0]);
    world.receive('{"rule":"R"}');
    expect([world.answers, world.accepted]).toEqual([[], []]);
    world.send('{"rule":"R"}');
    expect(world.answers).toEqual([[200], [200]]);
  });

  it('judges by the rules that are active when an alert comes in', () => {
    const world = build([0]);
    world.send('{"rule":"R"}');
    world.intake.use({ scanner: scanner([1]), policy: policy('r2') });
    world.send('{"rule":"R"}');
    expect(world.admitted.map(({ policy: { revision }, rules }) => [revision, rules])).toEqual([
      ['r1', [0]],
      ['r2', [1]],
    ]);
  });

  it.each<[Admission, number, number, readonly Transition[]]>([
    ['accepted', 200, 1, []],
    ['duplicate', 200, 1, []],
    ['full', 503, 0, [{ kind: 'refused', reason: 'full' }]],
    ['unreadable', 400, 0, [{ kind: 'refused', reason: 'body' }]],
    ['not_stored', 503, 0, [{ kind: 'refused', reason: 'not_stored' }]],
  ])('answers an alert that is %s with %d', (admission, status, accepted, told) => {
    const world = build([0], { admission });
    expect(world.send('{"rule":"R"}')).toBe(status);
    const [refusal] = told;
    expect(world.answers).toEqual([refusal?.kind === 'refused' ? [status, refusal.reason] : [status]]);
    expect(world.accepted).toHaveLength(accepted);
    expect(world.told).toEqual(told);
  });

  it.each<[readonly number[], Admission, number]>([
    [[], 'accepted', 1],
    [[0], 'accepted', 1],
    [[0], 'duplicate', 1],
    [[0], 'full', 0],
  ])('logs each accepted alert once if all are to be logged: %j, %s', (matches, admission, lines) => {
    const world = build(matches, { admission, printAllEvents: true });
    world.send('{"rule":"R","output":"10:00:00.000000001: Notice It happened"}');
    const events = world.told.filter((each) => each.kind === 'event');
    expect(events).toHaveLength(lines);
    if (lines > 0) expect(events[0]).toMatchObject({ alert: { rule: 'R', output: 'It happened' } });
  });

  it('gives each alert a trace id of its own where the request has none', () => {
    const world = build([], { printAllEvents: true });
    world.send('{}');
    world.send('{}', 'nonsense');
    const ids = world.told.map((each) => (each.kind === 'event' ? each.alert.trace_id : ''));
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(2);
  });
});

function build(
  matches: readonly number[] | number,
  { admission = 'accepted', printAllEvents = false }: { admission?: Admission; printAllEvents?: boolean } = {},
) {
  const accepted: string[][] = [];
  const told: Transition[] = [];
  const admitted: MatchedAlert[] = [];
  const answers: Parameters<Answer>[] = [];
  const undecided: (() => void)[] = [];
  const intake = new Intake({
    active: { scanner: scanner(matches), policy: policy('r1') },
    pipeline: {
      admit: (alert, decided) => {
        admitted.push(alert);
        undecided.push(() => decided(admission));
      },
    },
    telemetry: {
      emit: (transition) => void told.push(transition),
      accepted: (...labels) => void accepted.push(labels),
    },
    printAllEvents,
  });
  const receive = (body: string | Buffer, traceparent?: string) =>
    intake.receive(Buffer.from(body), traceparent, (...answer) => void answers.push(answer));
  /** Hands a body over and lets the pipeline decide. Returns the status. */
  const send = (...given: Parameters<typeof receive>) => {
    receive(...given);
    for (const decide of undecided.splice(0)) decide();
    return answers.at(-1)?.[0];
  };
  return { intake, accepted, told, admitted, answers, receive, send };
}

function policy(revision: string): Policy {
  return { revision, rules: [], guard: allowAll };
}

/** Finds fields where they stand as `"field":"..."`, and matches what it is told. */
function scanner(matches: readonly number[] | number): AlertScanner {
  let places: Record<string, readonly [number, number]> = {};
  return {
    scan: (body) => {
      const text = Buffer.from(body).toString('latin1');
      places = {};
      for (const found of text.matchAll(/"(rule|priority|source|output)":"((?:[^"\\]|\\.)*)"/g)) {
        const start = found.index + `"${found[1]}":"`.length;
        places[found[1] as string] = [start, start + (found[2] as string).length];
      }
      return typeof matches === 'number' ? matches : matches.length;
    },
    matched: (position) => (matches as readonly number[])[position] as number,
    start: (field) => places[field]?.[0] ?? -1,
    end: (field) => places[field]?.[1] ?? -1,
  };
}
