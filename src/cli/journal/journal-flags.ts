import { InvalidArgumentError } from 'commander';
import type { PlanState } from '../../model/journal.ts';

/** What all `journal` commands take. */
export interface JournalFlags {
  readonly journal?: string;
  readonly format: 'text' | 'json';
}

/** The states of plans, in the order in which they are listed. */
export const PLAN_STATES = [
  'open',
  'parked',
  'failed',
  'dead',
  'done',
  'dropped',
] as const satisfies readonly PlanState[];

/** The number of a plan on a command line. */
export function parsePlanId(text: string): number {
  return parseId(text, 'It is not the number of a plan.');
}

function parseId(text: string, problem: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(id) || id === 0) throw new InvalidArgumentError(problem);
  return id;
}

/** One more state of `--state`. */
export function parsePlanStates(text: string, previous: readonly PlanState[] = []): readonly PlanState[] {
  const state = PLAN_STATES.find((each) => each === text);
  if (!state) throw new InvalidArgumentError(`Allowed choices are ${PLAN_STATES.join(', ')}.`);
  return [...previous, state];
}

/** One more number of a notice on a command line. */
export function parseNoticeIds(text: string, previous: readonly number[] = []): readonly number[] {
  return [...previous, parseId(text, 'It is not the number of a notice.')];
}

export function parsePlanIds(text: string, previous: readonly number[] = []): readonly number[] {
  return [...previous, parsePlanId(text)];
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as `--since` takes it: so long ago (`90s`, `30m`, `24h`, `7d`), or a date with or without a time. */
export type Since = (now: Date) => number;

export function parseSince(text: string): Since {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (amount && unit) return (now) => now.getTime() - Number(amount) * (UNITS[unit] ?? 0);
  const moment = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment)) {
    throw new InvalidArgumentError('Write it as 90s, 30m, 24h, 7d, 2026-01-31 or 2026-01-31T10:15:02Z.');
  }
  return () => moment;
}

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || !Number.isSafeInteger(limit)) {
    throw new InvalidArgumentError('It is not how many there can be.');
  }
  return limit;
}
