import { DoorError } from '../model/door-error.ts';

/**
 * Rules files may be edited by more people than may use the credentials of the server: only functions that its configuration
 * allows are called, where it says any.
 *
 * @param allowed names in which `*` stands for any characters; none: all are allowed
 * @param name as rules name the function
 * @throws DoorError of code `refused`
 */
export function checkAllowed(allowed: readonly string[] | undefined, name: string): void {
  if (!allowed || allowed.length === 0 || allowed.some((pattern) => fits(name, pattern))) return;
  throw new DoorError(
    'refused',
    `the function '${name.slice(0, 200)}' is not among those that the configuration allows`,
  );
}

function fits(name: string, pattern: string): boolean {
  const parts = pattern.split('*');
  const [first = ''] = parts;
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
