/** What stands for a member that only the recorded result has. */
export const ABSENT = '(absent)';

/**
 * Where our result is not the recorded one: our value by its path (`0.env.FD_NAME`), nothing if all is the same. Texts,
 * numbers and null are compared as a whole, so are lists of different lengths.
 */
export function deviations(recorded: unknown, ours: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(deviate(recorded, ours, ''));
}

function deviate(recorded: unknown, ours: unknown, path: string): [string, unknown][] {
  if (isMap(recorded) && isMap(ours)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(ours)]);
    return [...keys].flatMap((key) => deviate(recorded[key], ours[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(recorded) && Array.isArray(ours) && recorded.length === ours.length) {
    return recorded.flatMap((item, index) => deviate(item, ours[index], `${path}${path === '' ? '' : '.'}${index}`));
  }
  const same = JSON.stringify(recorded) === JSON.stringify(ours);
  return same ? [] : [[path, ours === undefined ? ABSENT : ours]];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
