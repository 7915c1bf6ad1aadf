import * as z from 'zod';
import { checkAnswer } from '../model/check-answer.ts';
import { defineNotifier, targetOf } from '../model/definition.ts';
import { goJson } from '../model/json-text.ts';
import type { Notice } from '../model/notice.ts';
import { noticeObjects, statusColor, visibleLine, visibleText } from '../model/notice-text.ts';
import { requiredUrl, settingText, settingWord } from '../model/notifier-settings.ts';
import type { EndpointRef } from '../model/references.ts';

/** Sends a message to Slack, or to a chat that takes its webhooks. */
export const slack = defineNotifier({
  id: 'slack',
  description: 'Send a message to Slack',
  settings: z.object({
    webhook_url: requiredUrl('incoming webhook', 'wrong `webhook_url` setting', { secret: true }),
    icon: settingText(
      'picture beside the message',
      'https://upload.wikimedia.org/wikipedia/commons/2/26/Circaetus_gallicus_claw.jpg',
    ),
    username: settingText('name of the sender', 'Falco Talon'),
    footer: settingText('last line of a long message; empty for none', 'http://github.com/falcosecurity/falco-talon'),
    format: settingWord('long messages have a field for everything', ['long', 'short'], 'long'),
  }),
  example: `notifiers:
  slack:
    webhook_url: https://hooks.slack.com/services/XXXX
    username: Falco Talon
    format: short
`,
  behaviour: {
    uses: ['http.send'],
    deadline: 30,
    reach: ({ webhook_url: url }) => ({ endpoint: { url, headers: {} } }),
    async send({ settings, notice, targets, use }) {
      const endpoint = targetOf<'endpoint', EndpointRef>(targets, 'endpoint');
      const headers = { 'Content-Type': 'application/json; charset=utf-8' };
      const { username, icon, footer, format } = settings;
      const isLong = format === 'long';
      const attachment = isLong
        ? { ...(footer && { footer }), fields: fieldsOf(notice) }
        : { text: headline(notice), fields: null };
      const message = {
        ...(isLong && { text: headline(notice) }),
        ...(username && { username }),
        ...(icon && { icon_url: icon }),
        attachments: [{ fallback: '', color: statusColor(notice.status), ...attachment }],
      };
      const body = `${goJson(message)}\n`;
      checkAnswer(await use['http.send'](endpoint, { method: 'POST', headers, body }, false));
    },
  },
});

function headline({ status, message, rule, action, output_target }: Notice): string {
  const facts = Object.entries({ Rule: rule, Action: action, OutputTarget: output_target });
  const named = facts.map(([name, value]) => (value ? ` ${name}: ${code(value, 300)}` : ''));
  return `[*${status.toUpperCase()}*][*${message.toUpperCase()}*]${named.join('')}`;
}

interface Field {
  readonly title: string;
  readonly value: string;
  readonly short: boolean;
}

/** All that is known, in Falco Talon's order. */
function fieldsOf(notice: Notice): readonly Field[] {
  const field = (title: string, value: string | undefined, short = false) =>
    value ? [{ title, value: code(value), short }] : [];
  const { rule, action, actionner, status, event, message, error, output_target, trace_id, result, output } = notice;
  return [
    ...field('Rule', rule),
    ...field('Action', action),
    ...field('Actionner', actionner, true),
    ...field('Status', status, true),
    ...noticeObjects(notice).flatMap(([key, value]) => [{ title: key, value: code(value, 600), short: true }]),
    ...(event ? [{ title: 'Event', value: `\`\`\`${escaped(visibleText(event))}\`\`\``, short: false }] : []),
    ...field('Message', message),
    ...field('Error', error),
    ...field('OutputTarget', output_target),
    ...field('Trace ID', trace_id),
    ...field('Result', result),
    ...(output ? [{ title: 'Output', value: `\`\`\`\n${escaped(visibleText(output))}\`\`\``, short: false }] : []),
  ];
}

/** Slack shows no more of one text than 3,000 characters, and no more of a message than 40,000. */
const LONGEST_TEXT = 2_990;

function code(text: string, longest = LONGEST_TEXT): string {
  return `\`${escaped(visibleLine(text), longest)}\``;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': "'" };

/**
 * What nothing can be in but text: `<` would begin a link or a mention (`<!channel>`), and a backtick end the code that the text
 * stands in. Cut at a length that counts the escapes.
 */
function escaped(text: string, longest = LONGEST_TEXT): string {
  let result = '';
  for (const character of text) {
    const next = ESCAPES[character] ?? character;
    if (result.length + next.length >= longest) return `${result}…`;
    result += next;
  }
  return result;
}
