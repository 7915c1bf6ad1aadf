import type { Notifier, Reach } from '../../model/definition.ts';
import type { Notice } from '../../model/notice.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ParameterMap } from '../../model/rule.ts';
import type { SubjectTarget } from '../../model/targets.ts';
import { endpointTarget } from './action-targets.ts';
import { noTokens, readParameters, unlessRefused, withoutSecrets } from './read-parameters.ts';
import { runScript, type ScriptMeans } from './run-script.ts';
import { unrecorded } from './step-record.ts';

/** One try to send a notice. */
export interface NoticeToSend {
  readonly notifier: Notifier;
  /** As the configuration has them. */
  readonly settings: ParameterMap;
  readonly notice: Notice;
  /** Whether none was sent to it yet. */
  readonly first: boolean;
}

/** Runs the code of a notifier, with references to whom it tells and to what the notice is about. */
export async function runNotifier(given: NoticeToSend, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { notifier, notice, first } = given;
  const { uses, deadline, reach } = notifier.behaviour;
  const decoded = readParameters(notifier.settings, given.settings, noTokens);
  if ('status' in decoded) return decoded;
  const { parameters: settings } = decoded;
  return runScript(
    {
      ...{ plugin: notifier.id, uses, record: unrecorded, milliseconds: 1000 * deadline },
      given: (mint) =>
        unlessRefused(() => {
          const { endpoint, mailbox }: Reach = reach?.(settings) ?? {};
          const targets = {
            ...(endpoint && { endpoint: mint(endpointTarget(endpoint)) }),
            ...(mailbox && { mailbox: mint({ kind: 'mailbox', name: mailbox.server, ...mailbox }) }),
            subject: mint(subjectOf(notice)),
          };
          return { settings: withoutSecrets(notifier.settings, settings), notice, targets, first };
        }),
    },
    signal,
    means,
  );
}

/** What the notice is about, by its objects. */
function subjectOf({ objects = {} }: Notice): SubjectTarget {
  const { Pod: pod, Namespace: namespace = '', Node: node } = objects;
  if (pod === undefined && node !== undefined) return { kind: 'subject', of: 'Node', name: node, namespace: '' };
  return { kind: 'subject', of: 'Pod', name: pod ?? '', namespace };
}
