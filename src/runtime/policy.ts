import type { PlannedRule } from '../model/rule.ts';
import type { Guard } from './guards/guard.ts';

/** Rules and guards that belong together, ready to run plans. Plans keep theirs until they end, whatever is loaded meanwhile. */
export interface Policy {
  readonly revision: string;
  readonly rules: readonly PlannedRule[];
  readonly guard: Guard;
}
