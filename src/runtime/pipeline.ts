import { decodeEvent } from '../model/decode-event.ts';
import type { Actionner } from '../model/definition.ts';
import { namespace, podName } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { AlertHead, Telemetry } from '../model/transition.ts';
import { startDeadline } from './deadline.ts';
import { type DedupWindow, dedupKey } from './dedup.ts';
import { enrich, type Step } from './enrich.ts';
import type { Executor } from './execute.ts';
import { goesOn } from './flow.ts';
import type { Guard } from './guard.ts';
import type { Lanes } from './lanes.ts';
import type { Notify } from './notify.ts';

/** An alert for which rules matched. */
export interface MatchedAlert {
  readonly head: AlertHead;
  readonly body: Uint8Array;
  /** In the order in which they are run. */
  readonly rules: readonly PlannedRule[];
}

/** What became of an alert at the door. */
export type Admission = 'accepted' | 'duplicate' | 'full' | 'unreadable';

export interface PipelineOptions {
  readonly actionners: ReadonlyMap<string, Actionner>;
  readonly executor: Executor;
  readonly guard: Guard;
  readonly notify: Notify;
  readonly dedup: DedupWindow;
  readonly lanes: Lanes;
  readonly telemetry: Telemetry;
  /** Whether alerts are logged here, once a plan is run, because they were not logged when they came in. */
  readonly logsEvents: boolean;
  /** Milliseconds that one action may take. */
  readonly actionDeadline: number;
  /** Ends running actions when it is aborted; those still to come fail at once. */
  readonly signal: AbortSignal;
}

/**
 * The order of the stages, and the only file that knows it: dedup, then in the lane of the alert's pod for each action of
 * each rule: enrich, guard, execute, notify. Alerts for different pods run side by side.
 */
export class Pipeline {
  readonly #options: PipelineOptions;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Takes an alert in, or says why not. Its plan starts in a later turn of the event loop. */
  admit(alert: MatchedAlert): Admission {
    const { dedup, lanes, telemetry } = this.#options;
    const { head, body, rules } = alert;
    const decoded = decodeEvent(body);
    if (!decoded.ok) {
      telemetry.emit({ kind: 'crashed', alert: head, error: 'the alert was evaluated, but cannot be decoded' });
      return 'unreadable';
    }
    const { event } = decoded;
    const key = dedupKey(head.output, () => event);
    if (dedup.isOpen(key)) {
      telemetry.emit({ kind: 'duplicate', alert: head });
      return 'duplicate';
    }
    if (!lanes.hasRoom(body.length)) return 'full';
    dedup.open(key);
    lanes.enter(laneOf(event), body.length, () => this.#runPlan(head, event, rules));
    return 'accepted';
  }

  async #runPlan(head: AlertHead, event: FalcoEvent, rules: readonly PlannedRule[]): Promise<void> {
    const { telemetry, logsEvents } = this.#options;
    let current = '';
    try {
      if (logsEvents) telemetry.emit({ kind: 'event', alert: head });
      for (const rule of rules) {
        current = rule.rule;
        telemetry.emit({ kind: 'match', alert: head, rule: current });
        await this.#runRule(head, event, rule);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      telemetry.emit({ kind: 'crashed', alert: head, error: text, rule: current });
    }
  }

  async #runRule(head: AlertHead, event: FalcoEvent, rule: PlannedRule): Promise<void> {
    for (const action of rule.actions) {
      const failed = await this.#runStep(enrich(head, event, rule, action));
      if (!goesOn(action, failed)) return;
    }
  }

  /** Returns whether the step failed. */
  async #runStep(step: Step): Promise<boolean> {
    const { guard, telemetry } = this.#options;
    const verdict = guard(step);
    switch (verdict.kind) {
      case 'dry_run':
        telemetry.emit({ kind: 'dry_run', step: step.head });
        return false;
      case 'deny':
        telemetry.emit({
          kind: 'denied',
          step: step.head,
          policy: verdict.policy,
          reason: verdict.reason,
          objects: {},
        });
        return true;
      case 'allow':
        return this.#execute(step);
    }
  }

  async #execute(step: Step): Promise<boolean> {
    const { actionners, executor, telemetry, notify, signal, actionDeadline } = this.#options;
    const { head, event, action } = step;
    const actionner = actionners.get(action.actionner);
    const problem = actionner ? executor.missing(actionner, event) : `unknown actionner '${action.actionner}'`;
    if (!actionner || problem !== undefined) {
      telemetry.emit({ kind: 'check_failed', step: head, error: problem ?? '', objects: {} });
      return true;
    }
    telemetry.emit({ kind: 'started', step: head });
    const deadline = startDeadline(signal, actionDeadline);
    const outcome = await executor.run(actionner, action.parameters, event, deadline.signal);
    deadline.end();
    if (isFailedCheck(outcome)) {
      telemetry.emit({ kind: 'check_failed', step: head, error: outcome.error, objects: outcome.objects });
      return true;
    }
    telemetry.emit({ kind: 'ended', step: head, outcome });
    notify(step, outcome);
    return outcome.status === 'failure';
  }
}

type FailedCheck = Extract<Outcome, { status: 'failure' }> & { readonly code: 'missing-field' | 'not-found' };

/**
 * Falco Talon looks whether the target exists before it acts, and neither counts nor notifies a failure of that. Here the
 * action itself finds out, which saves a request.
 */
function isFailedCheck(outcome: Outcome): outcome is FailedCheck {
  return outcome.status === 'failure' && (outcome.code === 'missing-field' || outcome.code === 'not-found');
}

/** Alerts about one pod are handled one after the other; those about none are in no order. */
function laneOf(event: FalcoEvent): string | undefined {
  const pod = podName(event);
  return pod ? `${namespace(event) ?? ''}/${pod}` : undefined;
}
