import { didYouMean } from '../compiler/suggest.ts';
import { decodeEvent } from '../model/decode-event.ts';
import { EVENT_ERRORS, type FalcoEvent } from '../model/falco-event.ts';
import type { PolicyRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';
import { escapeJsonText } from '../platform/telemetry/log-line.ts';
import { explainRule, type RuleExplanation, type TermExplanation } from '../runtime/engine/explain.ts';
import { openPolicy } from './policy-source.ts';
import { readAlerts } from './read-alerts.ts';
import type { CommandContext } from './talon-command.ts';

export interface ExplainFlags {
  readonly bundle?: string;
  readonly rule?: string;
  readonly all?: boolean;
  readonly format: 'text' | 'json';
}

/** What one rule says to one alert. `stoppedBy` names an earlier rule with `continue: false` that took the alert. */
interface Verdict extends RuleExplanation {
  readonly rule: string;
  readonly stoppedBy?: string;
}

/**
 * `explain`: says of every rule, or of one, which of its terms hold for an alert and why. Ends with 1 if the rules are
 * refused or one of the alerts is none. Throws a TalonError for a rule that does not exist.
 */
export async function explainCommand(
  context: CommandContext,
  files: readonly string[],
  flags: ExplainFlags,
): Promise<number> {
  const engine = await openPolicy(context, flags.bundle);
  if (!engine) return 1;
  const { out } = context.terminal;
  const isWanted = ({ rule }: { readonly rule: string }) => flags.rule === undefined || rule === flags.rule;
  if (flags.rule !== undefined && !engine.rules.some(isWanted)) throw noSuchRule(flags.rule, engine.rules);
  let exitCode = 0;
  for await (const { name, bytes } of readAlerts(files, context.terminal)) {
    const decoded = decodeEvent(bytes);
    if (!decoded.ok) {
      exitCode = 1;
      const error = { code: decoded.code, message: EVENT_ERRORS[decoded.code], offset: decoded.offset };
      out(flags.format === 'json' ? jsonLine({ alert: name, error }) : refusal(name, error));
      continue;
    }
    const verdicts = explain(engine.rules, decoded.event).filter(isWanted);
    out(
      flags.format === 'json'
        ? jsonLine({ alert: name, rules: verdicts })
        : page(name, decoded.event, verdicts, flags.all),
    );
  }
  return exitCode;
}

function noSuchRule(name: string, rules: readonly PolicyRule[]): TalonError {
  const hint = didYouMean(
    name,
    rules.map(({ rule }) => rule),
  );
  return new TalonError('usage', `no rule is named \`${name}\`${hint ? `, ${hint}` : ''}`);
}

function explain(rules: readonly PolicyRule[], event: FalcoEvent): Verdict[] {
  let stoppedBy: string | undefined;
  return rules.map((rule) => {
    const verdict = { rule: rule.rule, ...explainRule(rule, event), ...(stoppedBy !== undefined && { stoppedBy }) };
    if (verdict.matches && !rule.continue) stoppedBy ??= rule.rule;
    return verdict;
  });
}

function jsonLine(value: unknown): string {
  return `${escapeJsonText(JSON.stringify(value))}\n`;
}

function refusal(name: string, { message, offset }: { message: string; offset: number }): string {
  return `${escapeJsonText(name)}: not an alert: ${message}, at byte ${offset}\n`;
}

function page(name: string, event: FalcoEvent, verdicts: readonly Verdict[], all = false): string {
  const head = `${escapeJsonText(`${name}: ${event.rule || '(no rule)'}, ${event.priority || 'no priority'}`)}\n`;
  return head + verdicts.map((verdict) => section(verdict, all)).join('');
}

function section({ rule, matches, terms, stoppedBy }: Verdict, all: boolean): string {
  const end = stoppedBy === undefined ? '' : `, but is not reached: "${stoppedBy}" has continue: false`;
  const head = `  ${escapeJsonText(matches ? `${rule}: matches${end}` : `${rule}: does not match`)}\n`;
  return head + (all ? terms : whatFailed(terms)).map(termLine).join('');
}

/** The failed terms of the criteria that fail as a whole: of two names, one is enough. */
function whatFailed(terms: readonly TermExplanation[]): readonly TermExplanation[] {
  const criteria = grouped(terms, ({ path }) => path.replace(/\[.*/, ''));
  return criteria.flatMap((criterion) => {
    const items = grouped(criterion, ({ path }) => /\[\d+\]/.exec(path)?.[0]);
    return items.some((parts) => parts.every(({ holds }) => holds)) ? [] : criterion.filter(({ holds }) => !holds);
  });
}

function grouped<T, K>(values: readonly T[], key: (value: T) => K): T[][] {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return [...groups.values()];
}

function termLine({ path, text, holds, why }: TermExplanation): string {
  const term = why.includes(text) ? path : `${path} ${text}`;
  return `    ${holds ? 'holds' : 'fails'}  ${escapeJsonText(`${term}: ${why}`)}\n`;
}
