import { expect, test } from 'vitest';
import { columnsOf } from './text-columns.ts';

test.each([
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 1],
  ['日本語', 6],
  ['ｶﾅ', 2],
  ['ＡＢ', 4],
  ['한글', 4],
  ['😀', 2],
  ['a\u200bb', 2],
  ['𠀀', 2],
  ['→ ✓', 3],
])('%j takes %i columns', (text, columns) => expect(columnsOf(text)).toBe(columns));
