import type { NoticedEnd } from './notice-of.ts';

/** Its output are the logs themselves where no output takes them. */
const LOGS = 'kubernetes:log';

/**
 * What is told of an end to people who are not to read the logs of pods, which may hold personal data: that they were fetched, in the
 * words that Falco Talon has for logs that went to an output.
 */
export function withoutLogs(actionner: string, ended: NoticedEnd): NoticedEnd {
  if (actionner !== LOGS || ended.kind !== 'action' || ended.end.status !== 'success') return ended;
  const { pod = '', namespace = '' } = ended.end.objects;
  const output = `the logs for the pod '${pod}' in the namespace '${namespace}' has been downloaded`;
  return { kind: 'action', end: { ...ended.end, output } };
}
