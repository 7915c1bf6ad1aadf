import path from 'node:path';
import { decodeEvent } from '../model/decode-event.ts';
import { fieldText } from '../model/event-fields.ts';
import type { PlannedRule } from '../model/rule.ts';
import { escapeJsonText } from '../platform/telemetry/log-line.ts';
import { buildInfo } from './build-info.ts';
import { actionLine } from './eval.ts';
import { drawsColor, type Terminal } from './terminal.ts';

/** An alert that was sent, and the plan for it. */
export interface DemoAlert {
  readonly body: string;
  readonly traceId: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly planned: readonly PlannedRule[];
}

/** How an action ended, as the log says it. */
export interface LoggedAction {
  readonly traceId: string;
  readonly rule: string;
  readonly action: string;
  readonly status: string;
  readonly text: string;
}

export interface DemoStart {
  readonly address: string;
  /** Name of the kubeconfig's context that is acted on; undefined for a dry run. */
  readonly context: string | undefined;
  readonly rules: number;
  readonly files: readonly string[];
}

/** What runs where, and whether it acts. */
export function demoHeader({ address, context, rules, files }: DemoStart): string {
  const names = files.map((file) => path.relative('.', file)).join(', ');
  const mode =
    context === undefined
      ? 'This is a dry run: no cluster is touched. With KUBECONFIG set, the demo acts on that cluster.'
      : `It acts on the cluster of the context \`${context}\`. Its alerts are about the pods of rules/demo/pods.yaml.`;
  return `Talon ${buildInfo.version} listens on ${address}, with ${rules} rules from ${names}.\n${mode}\n`;
}

/** One alert: what Falco said, which rules matched, what was planned and what became of it. */
export function demoPage(terminal: Terminal, alert: DemoAlert, logged: readonly LoggedAction[]): string {
  const paint = drawsColor(terminal, 'out') ? painted : (_code: number, text: string) => text;
  const own = logged.filter(({ traceId }) => traceId === alert.traceId);
  const rules = alert.planned.map((rule) => ruleSection(rule, own, paint));
  const nothing = rules.length === 0 ? '  no rule matches, nothing is done\n' : '';
  return `\n${heading(alert, paint)}${nothing}${rules.join('')}`;
}

const COUNTED = { success: 'succeeded', ignored: 'ignored', failure: 'failed', 'dry run': 'as dry run' };

/** All in one line, and a hint where a cluster lacks the pods. */
export function demoSummary(
  alerts: readonly DemoAlert[],
  logged: readonly LoggedAction[],
  context: string | undefined,
): string {
  const matched = alerts.filter(({ planned }) => planned.length > 0).length;
  const counts = Object.entries(COUNTED).flatMap(([status, word]) => {
    const count = logged.filter((action) => action.status === status).length;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const missing = context !== undefined && logged.some(({ text }) => text.endsWith("doesn't exist"));
  const hint = missing ? 'To have the pods there: kubectl apply -f rules/demo/pods.yaml\n' : '';
  return `\n${alerts.length} alerts, ${matched} with matching rules, ${logged.length} actions: ${counts.join(', ') || 'none'}\n${hint}`;
}

type Paint = (code: number, text: string) => string;

function painted(code: number, text: string): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

const STATUS_COLOR: Readonly<Record<string, number>> = { success: 32, ignored: 33, failure: 31, 'dry run': 36 };

function heading({ body, status }: DemoAlert, paint: Paint): string {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) return `${paint(1, 'not an alert')}, answered with ${status}\n`;
  const { event } = decoded;
  const pod = [fieldText(event, 'k8s.ns.name'), fieldText(event, 'k8s.pod.name')].filter(Boolean).join('/');
  const title = `${event.priority}: ${event.rule}`;
  const text = event.output.replace(/ \|.*$/s, '');
  return `${paint(1, escapeJsonText(title))}\n  ${escapeJsonText(text)}${pod ? ` (pod ${escapeJsonText(pod)})` : ''}\n`;
}

function ruleSection(rule: PlannedRule, logged: readonly LoggedAction[], paint: Paint): string {
  const outcomes = logged.filter((line) => line.rule === rule.rule);
  const actions = rule.actions.map((action, index) => {
    const outcome = outcomes[index];
    const status = outcome ? paint(STATUS_COLOR[outcome.status] ?? 0, outcome.status) : 'not run';
    const text = outcome?.text ? `: ${escapeJsonText(outcome.text)}` : '';
    return `    plan     ${actionLine(action)}\n    outcome  ${status}${text}\n`;
  });
  return `  rule ${paint(1, escapeJsonText(rule.rule))} matches\n${actions.join('')}`;
}
