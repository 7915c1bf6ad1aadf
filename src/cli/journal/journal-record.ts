import { decodeEvent } from '../../model/decode-event.ts';
import type { StoredPolicy } from '../../model/journal.ts';
import type { PlannedAction } from '../../model/rule.ts';
import type { JournalDesk, PlanRecord } from '../../platform/sqlite/journal-desk.ts';

/** A plan in short, as `journal list` prints it for programs. */
export interface PlanSummary {
  readonly id: number;
  readonly state: string;
  readonly accepted_at: string;
  readonly ended_at?: string;
  readonly reason?: string;
  readonly trace_id: string;
  readonly revision: string;
  /** Names of the matched rules; undefined where the policy that made the plan is gone. */
  readonly rules: readonly (string | null)[];
  /** What the alert says of itself; null if it cannot be read. */
  readonly alert: { readonly rule: string; readonly priority: string; readonly source: string } | null;
}

export function summarize(desk: JournalDesk, { alert, state, end }: PlanRecord): PlanSummary {
  const policy = desk.policy(alert.revision);
  const decoded = decodeEvent(alert.body);
  const head = decoded.ok ? decoded.event : undefined;
  return {
    id: alert.id,
    state,
    accepted_at: moment(alert.at),
    ...(end && { ended_at: moment(end.at), reason: end.reason }),
    trace_id: alert.traceId,
    revision: alert.revision,
    rules: alert.rules.map((index) => policy?.rules[index]?.rule ?? null),
    alert: head ? { rule: head.rule, priority: head.priority, source: head.source } : null,
  };
}

/** One step of a plan: an action of one of its rules. */
export interface PlannedStep {
  readonly rule: string;
  readonly action: PlannedAction;
}

/** The steps of a plan by their numbers, as far as its policy is known. */
export function stepsOf(policy: StoredPolicy | undefined, rules: readonly number[]): readonly PlannedStep[] {
  return rules.flatMap((index) => {
    const rule = policy?.rules[index];
    return rule?.actions.map((action) => ({ rule: rule.rule, action })) ?? [];
  });
}

/** A moment in UTC, with milliseconds. */
export function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
