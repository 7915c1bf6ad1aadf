import type { Door } from './capability.ts';
import type { Behaviour } from './definition.ts';

/** Seconds that an action gets beyond the time that it takes by its own parameters. */
export const DEADLINE_MARGIN = 10;

/**
 * Seconds below which a try would only be cut off: what the action takes by its own parameters (a duration, a wait) and a
 * margin; 0 where it takes no set time.
 */
export function leastDeadline<P>(behaviour: Pick<Behaviour<P, Door>, 'lasts'>, parameters: P): number {
  const seconds = behaviour.lasts?.(parameters) ?? 0;
  return seconds > 0 ? seconds + DEADLINE_MARGIN : 0;
}
