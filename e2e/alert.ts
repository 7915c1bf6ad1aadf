import { randomInt } from 'node:crypto';

/** What the tests set of an alert; the rest is the same in all of them. */
export interface AlertContent {
  /** The Falco rule; the tests use it to choose the Talon rule. */
  readonly rule: string;
  readonly output?: string;
  readonly source?: string;
  readonly hostname?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The body of a request as Falco's http_output sends it: keys in alphabetical order, one line. */
export function alertBody({ rule, output, source = 'syscall', hostname = 'node-0', fields }: AlertContent): string {
  const pid = randomInt(100, 4_000_000);
  return JSON.stringify({
    hostname,
    output: output ?? `10:15:02.000000001: Notice A shell was spawned in a container (pid=${pid} shell=bash)`,
    output_fields: { 'evt.time': 1767262502000000000, 'proc.name': 'bash', 'proc.pid': pid, ...fields },
    priority: 'Notice',
    rule,
    source,
    tags: ['T1059', 'container', 'shell'],
    time: '2026-01-01T10:15:02.000000001Z',
  });
}

/** A syscall alert about a pod. */
export function podAlert(rule: string, namespace: string, pod: string): string {
  return alertBody({ rule, fields: { 'k8s.ns.name': namespace, 'k8s.pod.name': pod } });
}
