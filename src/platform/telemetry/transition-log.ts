import type { LogField, LogRecord } from '../../model/log-record.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { AlertHead, StepHead, Transition } from '../../model/transition.ts';

type Fields = Partial<Record<LogField, string>>;
type Notified = Extract<Transition, { kind: 'notified' }>;

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
    case 'parked': {
      const { kind, step, policy, reason, objects } = transition;
      return { ...action('error', step, { status: kind, result: `${policy}: ${reason}` }), objects };
    }
    case 'monitored': {
      const { step, policy, reason, objects } = transition;
      return { ...action('warn', step, { status: 'monitored', result: `${policy}: ${reason}` }), objects };
    }
    case 'retrying':
      return retrying(transition);
    case 'resumed':
      return plan('info', transition.alert, `the plan ${transition.id} goes on`);
    case 'closed':
      return plan('warn', transition.alert, `the plan ${transition.id} is ${transition.state}: ${transition.reason}`);
    case 'breaker':
      return breaker(transition);
    case 'reloaded':
      return reloaded(transition);
    case 'degraded':
      return degraded(transition);
    case 'check_failed': {
      const { step, error, objects } = transition;
      return { ...action('error', step, { status: 'failure', error }), objects };
    }
    case 'started':
      return action('info', transition.step, { status: 'in_progress' });
    case 'ended':
      return ended(transition);
    case 'stored':
      return stored(transition);
    case 'context_failed':
      return contextFailed(transition);
    case 'notified':
      return notified(transition);
    case 'crashed':
      return crashed(transition);
    case 'fault':
      return { level: 'error', message: 'http', fields: { error: transition.error } };
    case 'turned_away':
      return turnedAway(transition);
    case 'duplicate':
    case 'refused':
      return undefined;
    default:
      return transition satisfies never;
  }
}

function reloaded({ ok, result }: Extract<Transition, { kind: 'reloaded' }>): LogRecord {
  return ok
    ? { level: 'info', message: 'rules', fields: { result } }
    : { level: 'error', message: 'rules', fields: { error: result } };
}

function degraded({ part, reason }: Extract<Transition, { kind: 'degraded' }>): LogRecord {
  return reason
    ? { level: 'error', message: part, fields: { status: 'degraded', error: reason } }
    : { level: 'info', message: part, fields: { status: 'success', result: 'works again' } };
}

function breaker({ api, open }: Extract<Transition, { kind: 'breaker' }>): LogRecord {
  return open
    ? { level: 'error', message: 'api', fields: { category: api, error: 'no answer: actions wait for it' } }
    : { level: 'info', message: 'api', fields: { category: api, result: 'answers again' } };
}

function turnedAway({ reason, times, address }: Extract<Transition, { kind: 'turned_away' }>): LogRecord {
  const error = `requests refused since the last such line: ${times} (${reason}), the latest from ${address}`;
  return { level: 'warn', message: 'http', fields: { error } };
}

function retrying({ step, attempt, error, wait }: Extract<Transition, { kind: 'retrying' }>): LogRecord {
  const result = `try ${attempt} failed, the next one follows in ${Math.round(wait)} ms`;
  return action('warn', step, { status: 'retrying', result, error });
}

function plan(level: LogRecord['level'], { rule, trace_id }: AlertHead, result: string): LogRecord {
  return { level, message: 'journal', fields: { event: rule, result, trace_id } };
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

/** Digest and size say what was stored, whatever becomes of it. */
function stored({
  step,
  stored: { output: id, outcome, artifact },
}: Extract<Transition, { kind: 'stored' }>): LogRecord {
  const { alert, rule, action, actionner } = step;
  const [category = ''] = id.split(':');
  const { status, objects } = outcome;
  const text = status === 'failure' ? { error: outcome.error } : { output: outputOf(outcome) };
  const digest = artifact && { sha256: artifact.sha256, size: String(artifact.size) };
  return {
    level: status === 'failure' ? 'error' : 'info',
    message: 'output',
    fields: { rule, action, actionner, category, output_target: id, status, ...text, trace_id: alert.trace_id },
    objects: { ...objects, ...digest },
  };
}

function outputOf(outcome: Exclude<Outcome, { status: 'failure' }>): string {
  return outcome.status === 'success' ? outcome.output : outcome.result;
}

function contextFailed({ step, context, error }: Extract<Transition, { kind: 'context_failed' }>): LogRecord {
  const { alert, rule, action, actionner } = step;
  const fields = { context, rule, action, actionner, trace_id: alert.trace_id, error };
  return { level: 'error', message: 'context', fields };
}

/** Of a try that another one follows it is not said that it failed: that would be counted as a notice which nobody got. */
function notified({ notifier, notice, outcome, attempt, error, wait = 0 }: Notified): LogRecord {
  const { rule, action, actionner, trace_id, message: stage, output_target } = notice;
  const isRetried = outcome === 'retrying';
  const status = outcome === 'sent' ? 'success' : isRetried ? 'retrying' : 'failure';
  const fields = {
    ...{ rule, action, actionner, notifier, stage, status, trace_id },
    ...(output_target !== undefined && { output_target }),
    ...(isRetried && { result: `try ${attempt} failed, the next one follows in ${Math.round(wait)} ms` }),
    ...(error !== undefined && { error }),
  };
  return { level: outcome === 'sent' ? 'info' : isRetried ? 'warn' : 'error', message: 'notification', fields };
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
