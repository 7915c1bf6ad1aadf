import { expect, it } from 'vitest';
import { InputFiles } from './input-files.ts';

it('a file that changed between two reads is not what it was made of', () => {
  const inputs = new InputFiles();
  let content = 'first';
  const read = () => content;
  expect(inputs.read('script.sh', read)).toBe('first');
  content = 'second';
  expect(inputs.read('script.sh', read)).toBe('second');
  expect(inputs.holds(inputs.look())).toBe(false);
});
