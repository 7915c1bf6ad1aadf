import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteLength, cutToBytes, visibleLine, visibleText } from './notice-text.ts';

const texts = fc.string({ unit: 'binary' });

describe('a text cut to bytes', () => {
  it('is the longest beginning of whole characters that fits', () => {
    fc.assert(
      fc.property(texts, fc.nat(60), (text, bytes) => {
        const cut = cutToBytes(text, bytes);
        expect(text.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
        const [next = ''] = text.slice(cut.length);
        if (cut !== text) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(bytes);
      }),
    );
  });

  it('has its bytes counted as UTF-8 has them', () => {
    fc.assert(fc.property(texts, (text) => byteLength(text) === Buffer.byteLength(text)));
  });
});

describe('a visible text', () => {
  it('has nothing in it that a screen could obey', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(visibleText(text)).not.toMatch(/(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
        expect(visibleLine(text)).not.toContain('\n');
        expect(visibleText(visibleText(text))).toBe(visibleText(text));
      }),
    );
  });

  it.each([
    ['plain, with\ttabs — and 🦅', 'plain, with\ttabs — and 🦅'],
    ['a\r\nb\rc\n', 'a\nb\nc\n'],
    ['\u001b[31mred\0', '\ufffd[31mred\ufffd'],
    ['exe.\u202egnp', 'exe.\ufffdgnp'],
  ])('of %j is %j', (text, visible) => {
    expect(visibleText(text)).toBe(visible);
  });
});
