import type { Parameters } from '../../compiler/blocks.ts';
import { parameterValue } from '../../compiler/parameter-value.ts';
import type { YamlNode } from '../../compiler/yaml-node.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ParameterMap, ParameterValue, Plan, PlannedAction, PlannedRule } from '../../model/rule.ts';
import type { ExpectedAction, ExpectedDiagnostic } from './test-file.ts';

/** What differs between the names of the rules that match and those expected, as sentences; none if they are equal. */
export function compareRules(expected: readonly string[], actual: readonly string[]): string[] {
  if (expected.length === actual.length && expected.every((name, index) => name === actual[index])) return [];
  return [`expected ${listed('rules', expected)}, got ${listed('rules', actual)}`];
}

/** What differs between a plan and the expected actions. */
export function comparePlan(expected: readonly ExpectedAction[], plan: Plan): string[] {
  const actual = plan.rules.flatMap((rule) => rule.actions.map((action) => ({ rule, action })));
  const problems = expected.flatMap((wanted, index) => {
    const planned = actual[index];
    const at = `action ${index + 1}`;
    return planned ? compareAction(wanted, planned.rule, planned.action).map((text) => `${at}: ${text}`) : [];
  });
  if (expected.length === actual.length) return problems;
  const names = actual.map(({ action }) => action.action);
  return [...problems, `expected ${expected.length} planned actions, got ${listed('actions', names)}`];
}

/** What differs between the findings of the compiler and those expected, one to one. */
export function compareDiagnostics(expected: readonly ExpectedDiagnostic[], actual: readonly Diagnostic[]): string[] {
  const problems = expected.flatMap((wanted, index) => {
    const found = actual[index];
    return found ? compareDiagnostic(wanted, found).map((text) => `diagnostic ${index + 1}: ${text}`) : [];
  });
  if (expected.length === actual.length) return problems;
  const texts = actual.map(({ code, message }) => `${code} ${message}`);
  return [...problems, `expected ${expected.length} diagnostics, got ${listed('diagnostics', texts)}`];
}

function compareAction(wanted: ExpectedAction, rule: PlannedRule, action: PlannedAction): string[] {
  const planned = { rule: rule.rule, action: action.action, actionner: action.actionner, dry_run: rule.dry_run };
  const problems = (['rule', 'action', 'actionner', 'dry_run'] as const).flatMap((key) =>
    wanted[key] === undefined || wanted[key] === planned[key] ? [] : [difference(key, wanted[key], planned[key])],
  );
  return [...problems, ...compareParameters('parameters', wanted.parameters ?? new Map(), action.parameters ?? {})];
}

/** Maps are compared key by key, and may have more than is expected; everything else must be equal. */
function compareParameters(path: string, wanted: Parameters, actual: ParameterMap): string[] {
  return [...wanted].flatMap(([key, { value }]) => {
    const name = `${path}.${key}`;
    const given = Object.hasOwn(actual, key) ? actual[key] : undefined;
    if (given === undefined) return [`expected ${name}, which is not there`];
    if (value.kind === 'map' && isMap(given)) return compareParameters(name, value.entries, given);
    return equals(value, given) ? [] : [difference(name, parameterValue(value), given)];
  });
}

/** Labels have texts only; `version: 1.10` is one, too, in a rule as in its test. */
function equals(wanted: YamlNode, given: ParameterValue): boolean {
  if (wanted.kind === 'scalar' && wanted.text === given) return true;
  return JSON.stringify(parameterValue(wanted)) === JSON.stringify(given);
}

function isMap(value: ParameterValue): value is ParameterMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compareDiagnostic(wanted: ExpectedDiagnostic, found: Diagnostic): string[] {
  const actual = { ...found, line: found.place?.line, column: found.place?.column };
  const problems = (['code', 'severity', 'line', 'column'] as const).flatMap((key) =>
    wanted[key] === undefined || wanted[key] === actual[key] ? [] : [difference(key, wanted[key], actual[key])],
  );
  const { message } = wanted;
  const silent = message === undefined || found.message.includes(message);
  return silent ? problems : [...problems, `expected a message with \`${message}\`, got \`${found.message}\``];
}

function difference(what: string, wanted: unknown, actual: unknown): string {
  return `expected ${what} ${JSON.stringify(wanted)}, got ${JSON.stringify(actual) ?? 'none'}`;
}

function listed(what: string, names: readonly string[]): string {
  return names.length === 0 ? `no ${what}` : `${what} ${names.map((name) => `\`${name}\``).join(', ')}`;
}
