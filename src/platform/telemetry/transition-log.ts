import type { LogField, LogRecord } from '../../model/log-record.ts';
import type { AlertHead, StepHead, Transition } from '../../model/transition.ts';

type Fields = Partial<Record<LogField, string>>;

/** The log line of a transition, or undefined for those that only count. Lines and fields are those of Falco Talon. */
export function logTransition(transition: Transition): LogRecord | undefined {
  switch (transition.kind) {
    case 'event':
      return { level: 'info', message: 'event', fields: alertFields(transition.alert) };
    case 'match':
      return { level: 'info', message: 'match', fields: { ...alertFields(transition.alert), rule: transition.rule } };
    case 'dry_run':
      return action('info', transition.step, { output: 'no action, dry-run is enabled' });
    case 'denied':
      return action('error', transition.step, { status: 'denied', result: transition.reason });
    case 'check_failed': {
      const { step, error, objects } = transition;
      return { ...action('error', step, { status: 'failure', error }), objects };
    }
    case 'started':
      return action('info', transition.step, { status: 'in_progress' });
    case 'ended':
      return ended(transition);
    case 'crashed':
      return crashed(transition);
    case 'fault':
      return { level: 'error', message: 'http', fields: { error: transition.error } };
    case 'duplicate':
    case 'refused':
      return undefined;
    default:
      return transition satisfies never;
  }
}

function ended({ step, outcome }: Extract<Transition, { kind: 'ended' }>): LogRecord {
  const { status, objects } = outcome;
  switch (status) {
    case 'success':
      return { ...action('info', step, { status, output: outcome.output }), objects };
    case 'ignored':
      return { ...action('info', step, { status, result: outcome.result }), objects };
    case 'failure':
      return { ...action('error', step, { status, error: outcome.error }), objects };
  }
}

function crashed({ alert, error, rule = '' }: Extract<Transition, { kind: 'crashed' }>): LogRecord {
  return {
    level: 'error',
    message: 'recovered from panic while processing event',
    fields: { rule, event: alert.rule, trace_id: alert.trace_id, error },
  };
}

function alertFields({ rule, priority, source, output, trace_id }: AlertHead): Fields {
  return { event: rule, priority, source, output, trace_id };
}

/** In these lines `event` is the output text of the alert: dashboards and templates rely on it. */
function action(level: LogRecord['level'], step: StepHead, fields: Fields): LogRecord {
  const { alert, rule, action, actionner } = step;
  return {
    level,
    message: 'action',
    fields: { rule, event: alert.output, action, actionner, trace_id: alert.trace_id, ...fields },
  };
}
