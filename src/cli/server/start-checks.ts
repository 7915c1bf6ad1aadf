import { didYouMean } from '../../compiler/suggest.ts';
import type { Catalog } from '../../model/definition.ts';
import type { LogRecord } from '../../model/log-record.ts';
import type { PlannedAction, PlannedRule } from '../../model/rule.ts';
import { entranceSettings, entranceWarnings } from '../../runtime/entrance/entrance-settings.ts';
import { notifierProblem } from '../../runtime/notices/notices.ts';
import { Refused } from '../refused.ts';
import type { Environment, Settings } from '../settings/settings.ts';
import { notifierWarnings } from './notifier-warnings.ts';
import type { Log } from './server-log.ts';

/**
 * Plug-ins that the rules name and this version does not have: to act on the rest of them would be to drop actions silently. Rules
 * files name no others, but a bundle may be made by a later version.
 *
 * @throws Refused, after a log line for each case
 */
export function refuseUnknown(rules: readonly PlannedRule[], catalog: Catalog, log: Log): void {
  const steps = rules.flatMap((rule) => rule.actions.map((action) => ({ rule: rule.rule, action })));
  const faults = steps.flatMap(({ rule, action }) => unknownPlugins(rule, action, catalog));
  for (const fault of faults) log(fault);
  if (faults.length > 0) throw new Refused('actionners', 'the rules use what this version does not have');
}

function unknownPlugins(rule: string, { action, actionner, output }: PlannedAction, catalog: Catalog): LogRecord[] {
  const about = (error: string): LogRecord => ({
    level: 'error',
    message: 'rules',
    fields: { rule, action, actionner, error },
  });
  return [
    ...(catalog.actionners.has(actionner) ? [] : [about(`unknown actionner '${actionner}'`)]),
    ...(output && !catalog.outputs.has(output.target) ? [about(`unknown output target '${output.target}'`)] : []),
  ];
}

/**
 * Leader election is on by default, as in Falco Talon, and is not there yet. In a cluster it may be needed to keep several
 * replicas from acting at once, so that the server does not start; elsewhere there is one server.
 *
 * @throws Refused
 */
export function refuseElection({ deduplication }: Settings, env: Environment): void {
  if (!deduplication.leader_election || !env.KUBERNETES_SERVICE_HOST) return;
  throw new Refused(
    'lease',
    'leader election is not available in this version: set deduplication.leader_election to false ' +
      '(DEDUPLICATION_LEADER_ELECTION=false) and run a single replica',
  );
}

/** Names of the notifiers that configuration and rules want to be told, in lower case. */
export function wantedNotifiers(settings: Settings, rules: readonly PlannedRule[]): ReadonlySet<string> {
  const names = [...settings.default_notifiers, ...rules.flatMap((rule) => rule.notifiers)];
  return new Set(names.map((name) => name.toLowerCase()));
}

/**
 * Notifiers that somebody wants to be told and that cannot be told: all else works without them. Of those that rules name and
 * that do not exist the compiler has warned.
 */
export function notifierLines(
  settings: Settings,
  rules: readonly PlannedRule[],
  { notifiers }: Catalog,
): readonly LogRecord[] {
  const defaults = wantedNotifiers(settings, []);
  return [...wantedNotifiers(settings, rules)].flatMap((name) => {
    const notifier = notifiers.get(name);
    if (!notifier) return defaults.has(name) ? [unknownNotifier(name, notifiers.keys())] : [];
    const lines = notifierWarnings(notifier, settings.notifiers[name] ?? {}).map((result) =>
      warning('config', { result }),
    );
    const problem = notifierProblem(notifier, settings.notifiers);
    if (problem === undefined) return lines;
    const fields = { category: name, status: 'failure', error: `${problem}: the notifier is told nothing` };
    return [...lines, { level: 'error', message: 'init', fields }];
  });
}

function unknownNotifier(name: string, known: Iterable<string>): LogRecord {
  const meant = didYouMean(name, known);
  const error = `unknown notifier '${name}' in default_notifiers, ignored${meant ? `: ${meant}` : ''}`;
  return warning('init', { category: name, status: 'failure', error });
}

/** What whoever runs the server should know of how it is set up. */
export function startWarnings(settings: Settings): readonly LogRecord[] {
  const lines = entranceWarnings(settings.listen_address, entranceSettings(settings)).map((result) =>
    warning('http', { result }),
  );
  if (settings.metrics_listen_address && !settings.metrics_listen_port) {
    const result = "the setting 'metrics_listen_address' has no effect without 'metrics_listen_port'";
    lines.push(warning('config', { result }));
  }
  if (settings.deduplication.leader_election) {
    lines.push(warning('lease', { result: 'no leader is elected outside of Kubernetes: this server acts alone' }));
  }
  if (settings.dry_run) lines.push(warning('init', { result: 'dry run: no action of any rule is run' }));
  return lines;
}

/** A log line of level `warn`. */
export function warning(message: string, fields: NonNullable<LogRecord['fields']>): LogRecord {
  return { level: 'warn', message, fields };
}
