import { DoorError } from '../../model/door-error.ts';
import type { FunctionTarget } from '../../model/targets.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** @throws DoorError of code `refused` for a name or a location that could be another part of a URL */
export function checkFunctionName({ name, location }: FunctionTarget): void {
  for (const part of [name, location]) {
    if (!NAME.test(part)) throw new DoorError('refused', `'${part.slice(0, 100)}' names no function or location`);
  }
}
