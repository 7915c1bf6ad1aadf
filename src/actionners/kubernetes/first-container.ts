import { DoorError } from '../../model/door-error.ts';
import type { Objects } from '../../model/outcome.ts';
import type { ContainerRef } from '../../model/references.ts';
import { withoutEscapes } from './terminal-text.ts';

/** How a program ended in one of the containers. */
export interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/** Characters of the words of a program that failed. */
const LONGEST_WORDS = 3000;

/**
 * Runs something in one container after the other until it works. Containers where it cannot be run are nothing unusual: many have
 * no shell.
 *
 * @param objects what a failure is about
 * @throws DoorError of code `refused` for the last one where none works, or for a pod without containers
 */
export async function inFirstContainer<T extends Ended>(
  containers: readonly ContainerRef[],
  objects: Objects,
  run: (container: ContainerRef) => Promise<T>,
): Promise<T> {
  let last: T | undefined;
  for (const container of containers) {
    last = await run(container);
    if (last.code === 0) return last;
  }
  throw last ? new DoorError('refused', failureText(last), { objects }) : noContainer(objects);
}

/** Falco Talon's error for a pod without containers. */
export function noContainer(objects: Objects): DoorError {
  return new DoorError('refused', 'no container found', { objects });
}

/** Falco Talon says what the program wrote to stderr alone, which may be nothing. */
function failureText({ code, stderr }: Ended): string {
  const words = withoutEscapes(stderr).trim().slice(0, LONGEST_WORDS);
  return words === '' ? `command terminated with exit code ${code}` : `${words} (exit code ${code})`;
}
