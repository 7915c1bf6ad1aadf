import type { Outcome } from '../../model/outcome.ts';

type Failure = Extract<Outcome, { status: 'failure' }>;

/** Milliseconds before the second try of a notice, doubled for each one after it, and the longest. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;
/** Longest time that the other side may ask for. */
export const LONGEST_RETRY_AFTER = 3_600_000;

/**
 * Refusals that say nothing against the notice: who sends is not known or may not, or what is at that address is something
 * else. Somebody mends the settings, the token or the right, and then all that was refused is taken.
 */
const MENDED_OUTSIDE =
  /authenticat|unauthori[sz]ed|access denied|forbidden|permission|resource not found|invalid login/i;

/**
 * Whether another try can come to anything. What is refused for its content is refused for ever; so is what a plug-in may not
 * do. All else may pass.
 */
export function isFinal({ code, error }: Failure): boolean {
  return code === 'door' || (code === 'refused' && !MENDED_OUTSIDE.test(error));
}

/**
 * Milliseconds until the next try after so many failed ones: exponential, half of it at random, so that what failed together
 * does not come back together; never less than the other side asked for.
 *
 * @param random from 0 to 1
 */
export function waitAfter(
  failures: number,
  random: number,
  { retryAfterMs = 0 }: Pick<Failure, 'retryAfterMs'>,
): number {
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failures - 1, 30));
  return Math.max((longest * (1 + random)) / 2, Math.min(retryAfterMs, LONGEST_RETRY_AFTER));
}
