import { DoorError } from '../../../model/door-error.ts';

/** How a program in a container ended, as the last frame of its stream says. */
export interface ProgramEnd {
  /** Exit code; {@link NOT_STARTED} for a program that could not be started. */
  readonly code: number;
  /** Why not, in the words of the other side; empty for a program that ran. */
  readonly reason: string;
}

/** What shells answer for a program that is there and cannot be started. */
export const NOT_STARTED = 126;

/** Characters that come from the other side. */
const LONGEST_REASON = 2000;

/** The API server could not reach the node: nothing was started, and another try may help. */
const NO_NODE = /error dialing backend|\bdial tcp\b/;
/** The node has not learnt of the pod yet, or not again since it was restarted: likewise. */
const NO_POD_YET = /\bpod does not exist$/;
/** The node was lost while the program may have run. */
const CUT_OFF =
  /error stream|unexpected EOF|broken pipe|connection reset|context canceled|use of closed|lost connection/i;
/** A refused upgrade that says the same as a program that could not be started. */
const NO_CONTAINER = /container not found|unable to upgrade connection: container|container .* is not running/;

interface Status {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/**
 * Reads the status frame of an exec stream.
 *
 * @param spoke whether the program has written anything, so that it was started
 * @throws DoorError: `busy` where the node of the pod did not answer, `interrupted` where it was lost while the program may have
 *   run, `refused` for what is no status
 */
export function readProgramEnd(frame: string, spoke: boolean): ProgramEnd {
  const { status, message = '', reason, details } = readStatus(frame);
  if (status === 'Success') return { code: 0, reason: '' };
  const cause = details?.causes?.find((each) => each.reason === 'ExitCode');
  const code = Number(cause?.message);
  if (reason === 'NonZeroExitCode' && Number.isInteger(code)) return { code, reason: '' };
  const words = message.slice(0, LONGEST_REASON);
  checkNode(words);
  if (spoke || CUT_OFF.test(words)) throw cutOff(words);
  return { code: NOT_STARTED, reason: words || 'the program could not be started' };
}

/**
 * The end that a refused upgrade stands for, if it says that the container is not there to run anything.
 *
 * @throws DoorError of code `busy` where it says that the node did not answer, or does not know the pod
 */
export function endOfRefusal({ code, message }: DoorError): ProgramEnd | undefined {
  if (code !== 'unreachable') checkNode(message);
  return NO_CONTAINER.test(message) ? { code: NOT_STARTED, reason: message } : undefined;
}

/** The error for a program whose end is not known, though it may have run. */
export function cutOff(reason: string): DoorError {
  return new DoorError('interrupted', `nobody knows how the program ended: ${reason}`);
}

/** @throws DoorError where the words are about the node, which was asked for nothing */
function checkNode(words: string): void {
  if (NO_NODE.test(words)) {
    throw new DoorError('busy', `the Kubernetes API does not reach the node of the pod: ${words}`);
  }
  if (NO_POD_YET.test(words)) throw new DoorError('busy', `the node of the pod does not know of it: ${words}`);
}

function readStatus(frame: string): Status {
  try {
    const status = JSON.parse(frame) as Status | null;
    if (typeof status === 'object' && status !== null) return status;
  } catch {
    // The same as another kind of JSON.
  }
  throw new DoorError('refused', `the Kubernetes API did not say how the program ended: ${frame.slice(0, 200)}`);
}
