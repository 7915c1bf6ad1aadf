import type { Catalog } from '../model/definition.ts';
import type { LogRecord } from '../model/log-record.ts';
import type { PlannedAction, PlannedRule } from '../model/rule.ts';
import { unheardNotifiers } from '../runtime/notify.ts';
import type { Environment, Settings } from './settings.ts';

/** A reason not to start: the lines that name every case, and the closing one. */
export interface Refusal {
  readonly lines: readonly LogRecord[];
  readonly tag: 'actionners' | 'lease';
  readonly reason: string;
}

/** What the rules need and this version cannot do. Starting without it would drop actions silently. */
export function refuseUnbuilt(rules: readonly PlannedRule[], { actionners }: Catalog): Refusal | undefined {
  const steps = rules.flatMap((rule) => rule.actions.map((action) => ({ rule: rule.rule, action })));
  const inactive = steps.filter(({ action }) => !actionners.get(action.actionner)?.behaviour);
  if (inactive.length === 0) return undefined;
  return {
    lines: inactive.map(({ rule, action }) => unbuilt(rule, action)),
    tag: 'actionners',
    reason: 'the rules use actionners that this version cannot run',
  };
}

function unbuilt(rule: string, { action, actionner }: PlannedAction): LogRecord {
  const fields = { rule, action, actionner, error: `the actionner '${actionner}' is not available in this version` };
  return { level: 'error', message: 'rules', fields };
}

/**
 * Leader election is on by default, as in Falco Talon, and is not there yet. In a cluster it may be needed to keep several
 * replicas from acting at once, so that the server does not start; elsewhere there is one server.
 */
export function refuseElection({ deduplication }: Settings, env: Environment): Refusal | undefined {
  if (!deduplication.leader_election || !env.KUBERNETES_SERVICE_HOST) return undefined;
  return {
    lines: [],
    tag: 'lease',
    reason:
      'leader election is not available in this version: set deduplication.leader_election to false ' +
      '(DEDUPLICATION_LEADER_ELECTION=false) and run a single replica',
  };
}

/** What somebody wants and does not get, and without which the server can do its work. */
export function startWarnings(settings: Settings, rules: readonly PlannedRule[]): readonly LogRecord[] {
  const warn = (message: string, fields: LogRecord['fields']): LogRecord => ({
    level: 'warn',
    message,
    fields: { ...fields },
  });
  const lines = settings.warnings.map((result) => warn('config', { result }));
  for (const notifier of unheardNotifiers(settings.default_notifiers, rules)) {
    const error = 'notifiers are not available in this version: nobody is told of actions';
    lines.push(warn('init', { category: notifier, status: 'failure', error }));
  }
  if (settings.deduplication.leader_election) {
    lines.push(warn('lease', { result: 'no leader is elected outside of Kubernetes: this server acts alone' }));
  }
  if (settings.dry_run) lines.push(warn('init', { result: 'dry run: no action of any rule is run' }));
  return lines;
}
