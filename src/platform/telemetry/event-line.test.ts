import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventLine } from './event-line.ts';
import { createLogClock, formatLogLine } from './log-line.ts';
import { logTransition } from './transition-log.ts';

const NOW = Date.UTC(2026, 2, 1, 12, 0, 0, 750);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ maxLength: 30 }), fc.constant(''));
const trace_id = 'a'.repeat(32);

describe('createEventLine', () => {
  it.each(['text', 'color', 'json'] as const)('writes the line of formatLogLine as %s', (format) => {
    const line = createEventLine(
      format,
      createLogClock(() => NOW),
    );
    fc.assert(
      fc.property(text, text, text, text, fc.option(text), (rule, output, priority, source, matched) => {
        const alert = { rule, output, priority, source, trace_id };
        const record = logTransition(
          matched === null ? { kind: 'event', alert } : { kind: 'match', alert, rule: matched },
        );
        expect(line(alert, matched ?? undefined)).toBe(
          formatLogLine(record as NonNullable<typeof record>, format, new Date(NOW)),
        );
      }),
    );
  });

  it('follows the clock', () => {
    let now = NOW;
    const line = createEventLine(
      'text',
      createLogClock(() => now),
    );
    const alert = { rule: '', output: '', priority: '', source: '', trace_id };
    const first = line(alert);
    now += 1000;
    expect(line(alert)).not.toBe(first);
    expect(line(alert).slice(20)).toBe(first.slice(20));
  });
});
