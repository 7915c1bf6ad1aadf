import { goJsonString, jsonText } from '../model/json-text.ts';
import { JsonNumber, type JsonValue } from '../model/json-value.ts';
import type { ParameterValue, PlannedAction, PlannedRule } from '../model/rule.ts';

/** The keys of Falco Talon's documentation, which the program itself writes otherwise. Both are there. */
const DOCUMENTED_AS: Readonly<Record<string, string>> = {
  'falco-talon.rule.dry_run': 'falco-talon.rule.dryrun',
  'falco-talon.action': 'falco-talon.rule.action',
  'falco-talon.actionner': 'falco-talon.rule.actionner',
  'falco-talon.action.continue': 'falco-talon.rule.action.continue',
  'falco-talon.action.ignore_errors': 'falco-talon.rule.action.ignore_errors',
  'falco-talon.action.parameters': 'falco-talon.rule.action.parameters',
  'node.spec.providerid': 'node.spec.providedid',
};

/** Facts about a step by key, in the order in which they were found. */
export type Context = ReadonlyMap<string, string>;

/**
 * What Talon tells an action about itself: the rule, the action, and those flow settings that the rules file gives. A
 * `context` in the alert never gets here.
 *
 * @param more what additional contexts brought
 */
export function talonContext(rule: PlannedRule, action: PlannedAction, more: Context = new Map()): Context {
  return withDocumentedKeys([
    ['falco-talon.rule', rule.rule],
    ['falco-talon.rule.continue', settingText(rule.written.continue)],
    ['falco-talon.rule.dry_run', settingText(rule.written.dry_run)],
    ['falco-talon.action', action.action],
    ['falco-talon.actionner', action.actionner],
    ['falco-talon.action.continue', settingText(action.written.continue)],
    ['falco-talon.action.ignore_errors', settingText(action.written.ignore_errors)],
    ['falco-talon.action.parameters', jsonText(parameterJson(action.parameters), goJsonString)],
    ...more,
  ]);
}

/** A context with the documented names beside the usual ones. Empty values are left out. */
function withDocumentedKeys(entries: Iterable<readonly [string, string]>): Context {
  const context = new Map<string, string>();
  for (const [key, value] of entries) {
    if (value === '') continue;
    context.set(key, value);
    const documented = DOCUMENTED_AS[key];
    if (documented) context.set(documented, value);
  }
  return context;
}

function settingText(setting: boolean | undefined): string {
  return setting === undefined ? '' : String(setting);
}

function parameterJson(value: ParameterValue): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return new JsonNumber(String(value));
  if (Array.isArray(value)) return value.map(parameterJson);
  return new Map(Object.entries(value).map(([key, item]) => [key, parameterJson(item)]));
}
