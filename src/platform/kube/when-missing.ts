import { DoorError } from '../../model/door-error.ts';

/**
 * Falco Talon's text for an object that does not exist; whatever else went wrong stays what it is. Only the pod that the
 * alert is about counts as `not-found`: without it there was nothing to act on, while another missing object is a failure.
 */
export function whenMissing(missing: () => DoorError) {
  return (error: unknown): never => {
    throw error instanceof DoorError && error.code === 'not-found' ? missing() : error;
  };
}
