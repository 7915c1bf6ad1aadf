import { DoorError } from '../../model/door-error.ts';
import type { FailureCode, Objects, Outcome } from '../../model/outcome.ts';
import type { ArtifactTarget } from '../../model/targets.ts';

/** UTF-16 units. */
const LONGEST_OUTPUT = 64_000;
const LONGEST_ERROR = 4_000;
const LONGEST_FACT = 300;
const MOST_FACTS = 16;
const FACT_NAME = /^[A-Za-z_]{1,40}$/;

/** What a plug-in may say of itself that it failed of. Others would make a retry without end, or blame somebody else. */
const CLAIMABLE: readonly FailureCode[] = ['refused', 'not-found', 'conflict', 'busy'];

/** What the main thread knows of a step whose end it reads. */
export interface EndedStep {
  /** What the call of that number failed with, if it did. */
  errorOf(call: number): unknown;
  /** What a failed call was about, for the outcome. */
  failureOf(error: unknown): Outcome;
  /** The artifact that a reference of the step stands for. */
  artifact(ref: unknown): ArtifactTarget | undefined;
}

/**
 * Makes the outcome of a step out of what its code ended with, field by field: nothing of it is taken over as it is.
 *
 * @param text JSON of a GuestEnd, if the code is honest
 */
export function readEnd(text: string, step: EndedStep): Outcome {
  const end = read(text);
  if (!isRecord(end)) return failure('bug', NO_OUTCOME);
  if ('result' in end) return readResult(end.result, step);
  const { error, call, code, objects, retryAfterMs, limit } = end;
  const known = typeof call === 'number' ? step.errorOf(call) : undefined;
  if (known !== undefined) return step.failureOf(known);
  const message = textOf(error, LONGEST_ERROR);
  if (limit === true) return failure('limit', `the actionner used more memory than it may: ${message}`);
  const claimed = CLAIMABLE.find((each) => each === code);
  if (claimed) {
    const own = new DoorError(claimed, message, { retryAfterMs: waitOf(retryAfterMs) });
    return { ...step.failureOf(own), objects: readObjects(objects) };
  }
  return failure('bug', `the actionner failed: ${message}`);
}

const NO_OUTCOME = 'the actionner failed: it returned no outcome';

function readResult(result: unknown, step: EndedStep): Outcome {
  if (!isRecord(result)) return failure('bug', NO_OUTCOME);
  const objects = readObjects(result.objects);
  switch (result.status) {
    case 'ignored':
      return { status: 'ignored', result: textOf(result.result, LONGEST_OUTPUT), objects };
    case 'success': {
      const output = textOf(result.output, LONGEST_OUTPUT);
      const given = result.artifact;
      if (given === undefined || given === null) return { status: 'success', output, objects };
      const artifact = step.artifact(isRecord(given) ? given.ref : undefined);
      if (!artifact) return failure('door', 'no reference to an artifact of this step', objects);
      const { name, size, sha256, mediaType, handle } = artifact;
      return { status: 'success', output, objects, artifact: { name, size, sha256, mediaType, handle } };
    }
    default:
      return failure('bug', NO_OUTCOME);
  }
}

/** Milliseconds. Nobody is to be told to wait longer than that. */
const LONGEST_WAIT = 3_600_000;

function waitOf(given: unknown): number | undefined {
  return typeof given === 'number' && given >= 0 ? Math.min(given, LONGEST_WAIT) : undefined;
}

function readObjects(given: unknown): Objects {
  if (!isRecord(given)) return {};
  const facts = Object.entries(given).filter(([name, value]) => FACT_NAME.test(name) && typeof value === 'string');
  return Object.fromEntries(facts.slice(0, MOST_FACTS).map(([name, value]) => [name, textOf(value, LONGEST_FACT)]));
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown, longest: number): string {
  return typeof value === 'string' ? value.slice(0, longest) : '';
}

function failure(code: FailureCode, error: string, objects: Objects = {}): Outcome {
  return { status: 'failure', code, error, objects };
}
