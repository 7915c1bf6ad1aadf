import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../model/decode-event.ts';
import { DedupWindow, dedupKey } from './dedup.ts';

describe('DedupWindow', () => {
  it('has a fixed window, counted from the first alert', () => {
    let now = 1_000;
    const window = new DedupWindow(5, () => now);
    const taken = [0, 3, 4.9, 6, 10.5, 11].filter((second) => {
      now = 1_000 + second * 1_000;
      if (window.isOpen('key')) return false;
      window.open('key');
      return true;
    });
    expect(taken).toEqual([0, 6, 11]);
  });

  it('keeps keys apart, and closes each in its time', () => {
    let now = 0;
    const window = new DedupWindow(5, () => now);
    window.open('a');
    now = 2_000;
    window.open('b');
    now = 5_000;
    expect([window.isOpen('a'), window.isOpen('b'), window.isOpen('c')]).toEqual([false, true, false]);
  });

  it('remembers nothing when it is 0 seconds long', () => {
    const window = new DedupWindow(0, () => 0);
    window.open('a');
    expect(window.isOpen('a')).toBe(false);
  });

  it('stays bounded', () => {
    const window = new DedupWindow(3_600, () => 0);
    for (let index = 0; index < 200_001; index++) window.open(String(index));
    expect([window.isOpen('0'), window.isOpen('1')]).toEqual([false, true]);
  });
});

describe('dedupKey', () => {
  it('is that of the output text, whatever else differs', () => {
    expect(key('{"output":"a","rule":"x","hostname":"n1"}')).toBe(key('{"output":"a","rule":"y","tags":[]}'));
    expect(key('{"output":"12:00:00.000000001: Notice a"}')).toBe(key('{"output":"12:00:01.000000002: Notice a"}'));
    expect(key('{"output":"a"}')).not.toBe(key('{"output":"b"}'));
  });

  it('tells alerts without a text apart by rule, source, host and fields', () => {
    const bodies = [
      '{}',
      '{"rule":"x"}',
      '{"source":"k8s_audit"}',
      '{"hostname":"n1"}',
      '{"output_fields":{"a":1}}',
      '{"output_fields":{"a":"1"}}',
    ];
    expect(new Set(bodies.map(key)).size).toBe(bodies.length);
    expect(key('{"output_fields":{"a":1,"b":2},"priority":"Notice"}')).toBe(key('{"output_fields":{"b":2,"a":1}}'));
  });
});

function key(body: string): string {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) throw new Error(`error ${decoded.code}`);
  return dedupKey(decoded.event.output, () => decoded.event);
}
