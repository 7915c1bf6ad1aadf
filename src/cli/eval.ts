import { EVENT_ERRORS, type EventError } from '../model/falco-event.ts';
import { type ParsedGuard, parseGuard } from '../model/parsed-guard.ts';
import type { PlannedAction } from '../model/rule.ts';
import { escapeJsonText } from '../platform/telemetry/log-line.ts';
import type { EngineAnswer } from '../runtime/engine/open-bundle.ts';
import { catalog } from './plugins/catalog.ts';
import { openPolicy } from './policy-source.ts';
import { readAlerts } from './read-alerts.ts';
import type { CommandContext } from './talon-command.ts';

export interface EvalFlags {
  readonly bundle?: string;
  readonly format: 'text' | 'json';
}

type Answer = EngineAnswer | EventError;

/**
 * `eval`: prints the plan of every alert, as text with the guard policies that each action will have to pass, or as one JSON
 * object per line. Ends with 1 if the rules are refused or if one of the alerts is none; the others are evaluated all the
 * same.
 */
export async function evalCommand(
  context: CommandContext,
  files: readonly string[],
  flags: EvalFlags,
): Promise<number> {
  const engine = await openPolicy(context, flags.bundle);
  if (!engine) return 1;
  const guards = engine.guards.map(parseGuard);
  let exitCode = 0;
  for await (const { name, bytes } of readAlerts(files, context.terminal)) {
    const answer = engine.evaluate(bytes);
    if (!answer.ok) exitCode = 1;
    context.terminal.out(flags.format === 'json' ? jsonAnswer(name, answer) : textAnswer(name, answer, guards));
  }
  return exitCode;
}

function jsonAnswer(name: string, answer: Answer): string {
  const { rules, plan } = answer.ok ? answer : {};
  const error = answer.ok
    ? undefined
    : { code: answer.code, message: EVENT_ERRORS[answer.code], offset: answer.offset };
  return `${escapeJsonText(JSON.stringify({ alert: name, error, rules, plan }))}\n`;
}

function textAnswer(name: string, answer: Answer, guards: readonly ParsedGuard[]): string {
  const title = escapeJsonText(name);
  if (!answer.ok) return `${title}: not an alert: ${EVENT_ERRORS[answer.code]}, at byte ${answer.offset}\n`;
  if (answer.rules.length === 0) return `${title}: no rule matches\n`;
  const rules = answer.plan.rules.map(({ rule, dry_run, actions }) => {
    const head = `  ${escapeJsonText(rule)}${dry_run ? '  (dry run)' : ''}\n`;
    return (
      head +
      actions.map((action, index) => `    ${index + 1}. ${actionLine(action)}\n${guardLine(action, guards)}`).join('')
    );
  });
  return `${title}:\n${rules.join('')}`;
}

/** The names of the policies that are for an action. */
function guardLine({ actionner: id }: PlannedAction, guards: readonly ParsedGuard[]): string {
  const actionner = catalog.actionners.get(id);
  const applying = actionner ? guards.filter((guard) => guard.appliesTo(actionner)) : [];
  if (applying.length === 0) return '';
  return `${escapeJsonText(`       guarded by ${applying.map(({ policy }) => policy.policy).join(', ')}`)}\n`;
}

/** `Label  kubernetes:label  {"labels":{"a":"b"}} -> minio:s3`. Values are escaped as in JSON. */
export function actionLine({ action, actionner, parameters, output }: PlannedAction): string {
  const parts = [action, actionner, parameters ? JSON.stringify(parameters) : '', output ? `-> ${output.target}` : ''];
  return escapeJsonText(parts.filter(Boolean).join('  '));
}
