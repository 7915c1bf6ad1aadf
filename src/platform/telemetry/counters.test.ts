import { describe, expect, it } from 'vitest';
import { Counters, OVERFLOW, SERIES_LIMIT } from './counters.ts';

describe('Counters', () => {
  it('counts each set of labels apart', () => {
    const counters = new Counters();
    counters.add('matches', { rule: 'a', event: 'x' });
    counters.add('matches', { rule: 'a', event: 'x' }, 2);
    counters.add('matches', { rule: 'a', event: 'y' });
    counters.add('actions', { rule: 'a' });
    expect([...counters.series('matches')]).toEqual([
      { labels: { rule: 'a', event: 'x' }, value: 3 },
      { labels: { rule: 'a', event: 'y' }, value: 1 },
    ]);
  });

  it('keeps apart labels that read the same when joined', () => {
    const counters = new Counters();
    counters.addEvent('ab', 'c', 'd');
    counters.addEvent('a', 'bc', 'd');
    counters.addEvent('a', 'b', 'cd');
    counters.add('matches', { rule: 'a=1,b', event: 'c' });
    counters.add('matches', { rule: 'a', event: 'c' });
    expect([...counters.series('events')]).toHaveLength(3);
    expect([...counters.series('matches')]).toHaveLength(2);
  });

  it('leaves out empty labels', () => {
    const counters = new Counters();
    counters.addEvent('', '', 'syscall');
    counters.add('matches', { rule: 'a', event: '' });
    expect([...counters.series('events')]).toEqual([{ labels: { source: 'syscall' }, value: 1 }]);
    expect([...counters.series('matches')]).toEqual([{ labels: { rule: 'a' }, value: 1 }]);
  });

  it('puts all that comes after the limit into one series, and still counts the known ones', () => {
    const counters = new Counters();
    for (let index = 0; index < SERIES_LIMIT + 500; index++) counters.addEvent(`rule ${index}`, 'Notice', 'syscall');
    counters.addEvent('rule 0', 'Notice', 'syscall');
    const series = [...counters.series('events')];
    expect(series).toHaveLength(SERIES_LIMIT + 1);
    expect(series[0]?.value).toBe(2);
    expect(series.at(-1)).toEqual({ labels: { event: OVERFLOW, priority: OVERFLOW, source: OVERFLOW }, value: 500 });
    expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(SERIES_LIMIT + 501);
  });

  it('lets no control character onto the page', () => {
    const counters = new Counters();
    counters.addEvent('\x1b[31mred', 'two\nlines', 'right\u202eleft');
    expect([...counters.series('events')][0]?.labels).toEqual({
      event: '\\x1b[31mred',
      priority: 'two\\nlines',
      source: 'right\\u202eleft',
    });
  });

  it('cuts long values, so that what an alert says cannot fill the memory', () => {
    const counters = new Counters();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 300; index++) counters.addEvent(`${index} ${'x'.repeat(1 << 20)}`, 'Notice', 'syscall');
    expect([...counters.series('events')][0]?.labels.event).toMatch(/^0 x{125}…$/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 << 20);
  });
});
