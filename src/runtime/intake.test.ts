import { describe, expect, it } from 'vitest';
import type { PlannedRule } from '../model/rule.ts';
import type { Transition } from '../model/transition.ts';
import { type AlertScanner, Intake } from './intake.ts';
import type { Admission, MatchedAlert } from './pipeline.ts';

const RULES = ['first', 'second', 'third'].map((rule) => ({ rule }) as PlannedRule);

describe('Intake', () => {
  it('counts an alert that matches nothing and says no more of it', () => {
    const world = build([]);
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
    expect(world.admitted[0]?.rules.map(({ rule }) => rule)).toEqual(['third', 'first']);
    expect(world.admitted[0]?.head).toEqual({
      rule: 'R',
      priority: 'Notice',
      source: 'syscall',
      output: 'It happened',
      trace_id: traceId,
    });
    expect(world.accepted).toHaveLength(1);
  });

  it.each<[Admission, number, number, readonly Transition[]]>([
    ['accepted', 200, 1, []],
    ['duplicate', 200, 1, []],
    ['full', 503, 0, [{ kind: 'refused', reason: 'full' }]],
    ['unreadable', 400, 0, []],
  ])('answers an alert that is %s with %d', (admission, status, accepted, told) => {
    const world = build([0], { admission });
    expect(world.send('{"rule":"R"}')).toBe(status);
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
  const intake = new Intake({
    scanner: scanner(matches),
    rules: RULES,
    pipeline: {
      admit: (alert) => {
        admitted.push(alert);
        return admission;
      },
    },
    telemetry: {
      emit: (transition) => void told.push(transition),
      accepted: (...labels) => void accepted.push(labels),
    },
    printAllEvents,
  });
  const send = (body: string | Buffer, traceparent?: string) => intake.receive(Buffer.from(body), traceparent);
  return { accepted, told, admitted, send };
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
