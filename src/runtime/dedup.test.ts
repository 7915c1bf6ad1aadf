import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../model/decode-event.ts';
import { DedupWindow, dedupKey } from './dedup.ts';

/** Whether an alert is taken; what is taken is on disk at once. */
function takes(window: DedupWindow, key: string): boolean {
  if (window.repeats(key, () => undefined)) return false;
  window.open(key)(true);
  return true;
}

describe('DedupWindow', () => {
  it('has a fixed window, counted from the first alert', () => {
    let now = 1_000;
    const window = new DedupWindow(5, () => now);
    const taken = [0, 3, 4.9, 6, 10.5, 11].filter((second) => {
      now = 1_000 + second * 1_000;
      return takes(window, 'key');
    });
    expect(taken).toEqual([0, 6, 11]);
  });

  it('keeps keys apart, and closes each in its time', () => {
    let now = 0;
    const window = new DedupWindow(5, () => now);
    takes(window, 'a');
    now = 2_000;
    takes(window, 'b');
    now = 5_000;
    expect([takes(window, 'a'), takes(window, 'b'), takes(window, 'c')]).toEqual([true, false, true]);
  });

  it('remembers nothing when it is 0 seconds long', () => {
    const window = new DedupWindow(0, () => 0);
    window.restore([{ key: 'b', age: 0 }]);
    expect([takes(window, 'a'), takes(window, 'a'), takes(window, 'b')]).toEqual([true, true, true]);
  });

  it('stays bounded', () => {
    const window = new DedupWindow(3_600, () => 0);
    for (let index = 0; index < 200_001; index++) window.open(String(index))(true);
    expect([takes(window, '1'), takes(window, '0')]).toEqual([false, true]);
  });

  it('goes on with what was taken before a restart, for the rest of its time', () => {
    let now = 0;
    const window = new DedupWindow(5, () => now);
    window.restore([
      { key: 'old', age: 5_000 },
      { key: 'a', age: 4_000 },
      { key: 'b', age: 1_000 },
      { key: 'of a clock that went back', age: -60_000 },
    ]);
    expect([takes(window, 'old'), takes(window, 'a'), takes(window, 'b')]).toEqual([true, false, false]);
    now = 1_000;
    expect([takes(window, 'a'), takes(window, 'b')]).toEqual([true, false]);
    now = 5_000;
    expect(takes(window, 'of a clock that went back')).toBe(true);
  });

  it('lets what repeats an alert wait until that one is on disk, and share its answer', () => {
    const alert = fc.record({ key: fc.constantFrom('a', 'b', 'c'), stored: fc.boolean(), settlesAfter: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(alert, { maxLength: 30 }), (alerts) => {
        const model = new DiskModel(new DedupWindow(3_600, () => 0));
        for (const [index, each] of alerts.entries()) model.receive(each, index);
        model.settleUpTo(Number.POSITIVE_INFINITY);
      }),
    );
  });
});

/** What a window is to do, beside a window that does it. */
class DiskModel {
  readonly #window: DedupWindow;
  readonly #answers = new Map<number, boolean>();
  /** Alerts that are on their way to the disk, by key, with those that repeat them. */
  readonly #underWay = new Map<string, { at: number; settle: () => void; stored: boolean; repeats: number[] }>();
  readonly #onDisk = new Set<string>();

  constructor(window: DedupWindow) {
    this.#window = window;
  }

  receive(alert: { key: string; stored: boolean; settlesAfter: number }, index: number): void {
    this.settleUpTo(index);
    const { key, stored, settlesAfter } = alert;
    const repeats = this.#window.repeats(key, (result) => this.#answers.set(index, result));
    expect(repeats).toBe(this.#underWay.has(key) || this.#onDisk.has(key));
    if (this.#onDisk.has(key)) expect(this.#answers.get(index)).toBe(true);
    else if (repeats) this.#underWay.get(key)?.repeats.push(index);
    else {
      const settle = this.#window.open(key);
      this.#underWay.set(key, { at: index + settlesAfter, settle: () => settle(stored), stored, repeats: [] });
    }
  }

  settleUpTo(now: number): void {
    for (const [key, { at, settle, stored, repeats }] of [...this.#underWay]) {
      if (at > now) continue;
      expect(repeats.filter((each) => this.#answers.has(each))).toEqual([]);
      this.#underWay.delete(key);
      if (stored) this.#onDisk.add(key);
      settle();
      expect(repeats.map((each) => this.#answers.get(each))).toEqual(repeats.map(() => stored));
    }
  }
}

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
