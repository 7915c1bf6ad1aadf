import type { FalcoEvent } from '../../model/falco-event.ts';
import type { AcceptedAlert } from '../../model/journal.ts';
import type { PlannedRule } from '../../model/rule.ts';
import type { AlertHead } from '../../model/transition.ts';
import type { Slot } from '../lanes.ts';
import type { Policy } from '../policy.ts';
import type { PlanHistory } from './resume.ts';

/** A plan whose turn it is. */
export interface RunningPlan {
  readonly alert: AcceptedAlert;
  readonly head: AlertHead;
  readonly event: FalcoEvent;
  readonly policy: Policy;
  readonly rules: readonly PlannedRule[];
  readonly history: PlanHistory;
  /** Whether it goes on after a restart, or because an operator wants it to. */
  readonly resumed: boolean;
  readonly slot: Slot;
}
