import { randomBytes } from 'node:crypto';
import { alertBody } from './alert.ts';
import type { AuditRecord } from './cluster/audit-log.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import type { LogLine } from './talon.ts';

/**
 * Alerts whose requests can be told apart at the API server: number n of a pod sets each label of its rule to n, one
 * label a step. So the audit log tells which steps of which alerts were run, how often, and in which order.
 */
export interface NumberedAlert {
  readonly pod: string;
  readonly number: number;
  readonly body: string;
  /** The same however often it is sent. */
  readonly traceId: string;
}

/** The rules for alerts of numbers below `count`: a step for each of the labels. */
export function numberedRules(count: number, labels: readonly string[]): string {
  return Array.from({ length: count }, (_, number) => {
    const actions = labels.map((label) => ({
      action: label,
      actionner: 'kubernetes:label',
      parameters: { labels: { [label]: String(number) } },
    }));
    return `- ${JSON.stringify({ rule: `Number ${number}`, match: { rules: [`number ${number}`] }, actions })}\n`;
  }).join('');
}

/** @param more further fields of the alert */
export function numberedAlert(
  { name }: TestNamespace,
  pod: string,
  number: number,
  more: Readonly<Record<string, unknown>> = {},
): NumberedAlert {
  const fields = { ...more, 'k8s.ns.name': name, 'k8s.pod.name': pod };
  const output = `alert ${number} about ${pod} in ${name}`;
  const body = alertBody({ rule: `number ${number}`, output, fields });
  return { pod, number, body, traceId: randomBytes(16).toString('hex') };
}

/** A label that was written, or tried to be. */
export interface LabelWrite {
  readonly pod: string;
  readonly label: string;
  readonly number: number;
  readonly code: number | undefined;
  /** When the API server took the request. */
  readonly received: string;
}

/**
 * All of them as the audit log has them, in the order in which the API server took them. Left out are those that it refused
 * before it read what they want, as it does while it starts.
 */
export function labelWrites(records: readonly AuditRecord[]): readonly LabelWrite[] {
  return records
    .filter(({ verb, requestObject }) => verb === 'patch' && requestObject !== undefined)
    .flatMap(({ objectRef, requestObject, responseStatus, requestReceivedTimestamp }) => {
      const { labels } = (requestObject as { readonly metadata: { readonly labels: Record<string, string> } }).metadata;
      return Object.entries(labels).map(([label, value]) => ({
        pod: objectRef?.name ?? '',
        label,
        number: Number(value),
        code: responseStatus?.code,
        received: requestReceivedTimestamp,
      }));
    })
    .sort((one, other) => (one.received < other.received ? -1 : 1));
}

/** Names a step of an alert: `<pod> <number> <label>`. */
export function stepName({ pod, number, label }: Pick<LabelWrite, 'pod' | 'number' | 'label'>): string {
  return `${pod} ${number} ${label}`;
}

/** How many requests were made for each step. */
export function requestsByStep(writes: readonly LabelWrite[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const write of writes) counts.set(stepName(write), (counts.get(stepName(write)) ?? 0) + 1);
  return counts;
}

/** The steps of these alerts that no request succeeded for. */
export function stepsNotDone(
  alerts: readonly NumberedAlert[],
  labels: readonly string[],
  writes: readonly LabelWrite[],
): readonly string[] {
  const done = new Set(writes.filter(({ code }) => code === 200).map(stepName));
  return alerts
    .flatMap(({ pod, number }) => labels.map((label) => stepName({ pod, number, label })))
    .filter((step) => !done.has(step));
}

/** The places where a request for an earlier step of the same pod follows one for a later step. */
export function stepsOutOfOrder(labels: readonly string[], writes: readonly LabelWrite[]): readonly string[] {
  const rank = ({ number, label }: LabelWrite) => number * labels.length + labels.indexOf(label);
  const latest = new Map<string, LabelWrite>();
  const faults: string[] = [];
  for (const write of writes) {
    const before = latest.get(write.pod);
    if (before && rank(before) > rank(write)) faults.push(`${stepName(write)} after ${stepName(before)}`);
    else latest.set(write.pod, write);
  }
  return faults;
}

/** The steps that a server had begun and not ended when it logged its last line. */
export function stepsInFlight(
  alerts: ReadonlyMap<string, NumberedAlert>,
  lines: readonly LogLine[],
): ReadonlySet<string> {
  const open = new Set<string>();
  for (const { message, status, trace_id: traceId = '', action = '' } of lines) {
    const alert = alerts.get(traceId);
    if (message !== 'action' || alert === undefined) continue;
    const step = stepName({ ...alert, label: action });
    if (status === 'success' || status === 'failure') open.delete(step);
    else open.add(step);
  }
  return open;
}
