import type { Objects } from '../../model/outcome.ts';
import type { AlertHead, StepHead, Transition } from '../../model/transition.ts';
import type { CounterName, Labels } from './counters.ts';

/** Objects that may become labels. Others, such as file names, would make a new time series with every action. */
const LABELLED_OBJECTS = ['pod', 'namespace', 'node', 'resource', 'name'];

/** What one transition adds one to. */
export type Count = readonly [CounterName, Labels];

/** What a transition counts as: a metric of Falco Talon with its labels, or one of ours where it has none. */
export function transitionCount(transition: Transition): Count | undefined {
  switch (transition.kind) {
    case 'match':
      return ['matches', { rule: transition.rule, ...alertLabels(transition.alert) }];
    case 'ended': {
      const { step, outcome } = transition;
      return ['actions', { ...stepLabels(step), status: outcome.status, ...objectLabels(outcome.objects) }];
    }
    case 'stored': {
      const { step, stored } = transition;
      const [category = ''] = stored.output.split(':');
      const { rule, action, actionner } = step;
      return ['outputs', { rule, category, action, actionner, status: stored.outcome.status, target: stored.output }];
    }
    case 'context_failed':
      return ['failed_contexts', { ...stepLabels(transition.step), context: transition.context }];
    case 'notified':
      return notificationCount(transition);
    case 'check_failed':
      return ['failed_checks', stepLabels(transition.step)];
    case 'dry_run':
      return ['dry_runs', stepLabels(transition.step)];
    case 'denied':
      return ['denied_actions', { ...stepLabels(transition.step), policy: transition.policy }];
    case 'parked':
      return ['parked_actions', { ...stepLabels(transition.step), policy: transition.policy }];
    case 'monitored':
      return ['monitored_actions', { ...stepLabels(transition.step), policy: transition.policy }];
    case 'retrying':
      return ['retries', stepLabels(transition.step)];
    case 'resumed':
      return ['resumed_plans', alertLabels(transition.alert)];
    case 'closed':
      return ['closed_plans', { state: transition.state }];
    case 'reloaded':
      return ['reloads', { status: transition.ok ? 'success' : 'failure' }];
    case 'breaker':
      return transition.open ? ['breaker_openings', { api: transition.api }] : undefined;
    case 'duplicate':
      return ['duplicate_events', alertLabels(transition.alert)];
    case 'crashed':
      return ['crashes', alertLabels(transition.alert)];
    case 'fault':
      return ['crashes', {}];
    case 'refused':
      return ['refused_requests', { reason: transition.reason }];
    case 'event':
    case 'started':
    case 'degraded':
    case 'turned_away':
      return undefined;
    default:
      return transition satisfies never;
  }
}

/** What is given up counts as a failure, once, however often it was tried. */
function notificationCount({ notifier, notice, outcome }: Extract<Transition, { kind: 'notified' }>): Count {
  const { rule, action, actionner, output_target: target = '' } = notice;
  if (outcome === 'retrying') return ['notification_retries', { notifier }];
  if (outcome === 'dropped') return ['dropped_notifications', { notifier }];
  const status = outcome === 'sent' ? 'success' : 'failure';
  return ['notifications', { rule, action, actionner, notifier, status, target }];
}

function alertLabels({ rule, priority, source }: AlertHead): Labels {
  return { event: rule, priority, source };
}

/** `event` is the Falco rule, not the output text as in the log: texts are without number. */
function stepLabels({ alert, rule, action, actionner }: StepHead): Labels {
  return { rule, event: alert.rule, action, actionner };
}

function objectLabels(objects: Objects): Labels {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(objects)) {
    const label = key.toLowerCase();
    if (LABELLED_OBJECTS.includes(label)) labels[label] = value;
  }
  return labels;
}
