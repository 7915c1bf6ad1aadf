import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import type { Notice } from '../model/notice.ts';
import { byteLength, cutToBytes, noticeObjects, visibleLine, visibleText } from '../model/notice-text.ts';
import { settingFlag } from '../model/notifier-settings.ts';

/** Notes what was done as a Kubernetes event on the pod. */
export const k8sevents = defineNotifier({
  id: 'k8sevents',
  description: 'Create a Kubernetes event on the pod that was acted on',
  settings: z.object({
    warn_of_failures: settingFlag('whether events about failures are of the type `Warning`, not `Normal`', false),
  }),
  example: `default_notifiers:
  - k8sevents
`,
  behaviour: {
    uses: ['events.create'],
    deadline: 60,
    async send({ settings: { warn_of_failures }, notice, targets: { subject }, use }) {
      const { message, status, actionner, output_target } = notice;
      const about = output_target || actionner || message;
      await use['events.create'](subject, {
        type: warn_of_failures && status === 'failure' ? 'Warning' : 'Normal',
        reason: cutToBytes(`falco-talon:${message}:${about}:${status}`, LONGEST_WORD),
        action: cutToBytes(about, LONGEST_WORD),
        message: messageOf(notice),
      });
    },
  },
});

/** Bytes that the API server takes. */
const LONGEST_WORD = 128;
const LONGEST_MESSAGE = 1_024;
const CUT = '…\n';

/** Lines of `name: value`, of which the last is the trace id, whatever else there is no room for. */
function messageOf(notice: Notice): string {
  const { status, message, rule, action, actionner, event, error, result, output, output_target, trace_id } = notice;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ...Object.entries({ Status: status, Message: message, Rule: rule, Action: action, Actionner: actionner }),
    ...([['Event', event], ...noticeObjects(notice)] as const),
    ...Object.entries({ Error: error, Result: result, Output: output, OutputTarget: output_target }),
  ];
  const lines = facts.filter(([, value]) => value).map(([name, value = '']) => `${name}: ${shown(name, value)}\n`);
  const all = lines.join('').replaceAll("'", '"');
  const last = `TraceID: ${trace_id}\n`;
  const room = LONGEST_MESSAGE - byteLength(last);
  if (byteLength(all) <= room) return all + last;
  return cutToBytes(all, room - byteLength(CUT)) + CUT + last;
}

/** What was done may have lines; anything else that had some could add facts of its own. */
function shown(name: string, value: string): string {
  // What comes after that has no room in any case.
  const most = value.slice(0, LONGEST_MESSAGE);
  return name === 'Output' ? visibleText(most) : visibleLine(most);
}
