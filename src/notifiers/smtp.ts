import * as z from 'zod';
import { defineNotifier, targetOf } from '../model/definition.ts';
import type { Notice } from '../model/notice.ts';
import { noticeObjects, statusColor, visibleLine, visibleText } from '../model/notice-text.ts';
import {
  requiredAddresses,
  requiredHostPort,
  settingFlag,
  settingText,
  settingWord,
} from '../model/notifier-settings.ts';
import type { MailboxRef } from '../model/references.ts';

/** Sends a mail. */
export const smtp = defineNotifier({
  id: 'smtp',
  description: 'Send an e-mail',
  settings: z.object({
    host_port: requiredHostPort('host and port of the mail server', 'wrong `host_port` setting'),
    from: requiredAddresses('address of the sender', {
      missing: `Key: 'Parameters.From' Error:Field validation for 'From' failed on the 'required' tag`,
      wrong: 'wrong `from` setting',
    }),
    to: requiredAddresses('addresses of the receivers, separated by commas', {
      missing: `Key: 'Parameters.To' Error:Field validation for 'To' failed on the 'required' tag`,
      wrong: 'wrong `to` setting',
    }),
    user: settingText('user to log in as; empty for no login'),
    password: settingText('password of the user', '', { secret: true }),
    format: settingWord('layout of the mail', ['html', 'text'], 'html'),
    tls: settingFlag('whether to switch to TLS (STARTTLS)', false),
    implicit_tls: settingFlag('whether to speak TLS from the start, as on port 465, where it always is', false),
    allow_plain_auth: settingFlag('whether the password may be sent without TLS', false),
  }),
  example: `notifiers:
  smtp:
    host_port: mail.example.org:587
    from: talon@example.org
    to: soc@example.org, oncall@example.org
    user: talon
    password: XXXX
    format: text
    tls: true
`,
  behaviour: {
    uses: ['mail.send'],
    deadline: 90,
    reach: ({ host_port: server, from, to, user, password, tls, implicit_tls, allow_plain_auth }) => ({
      mailbox: {
        ...{ server, from, user, password, allowPlainLogin: allow_plain_auth },
        to: addressesOf(to),
        security: implicit_tls || server.endsWith(':465') ? 'tls' : tls ? 'starttls' : 'none',
      },
    }),
    async send({ settings: { format }, notice, targets, use }) {
      const mailbox = targetOf<'mailbox', MailboxRef>(targets, 'mailbox');
      const text = plainBody(notice);
      const mail = { subject: subjectOf(notice), text, ...(format === 'html' && { html: htmlBody(notice) }) };
      await use['mail.send'](mailbox, mail);
    },
  },
});

function addressesOf(to: string): readonly string[] {
  return to
    .split(',')
    .map((address) => address.trim())
    .filter(Boolean);
}

/** RFC 5322 has no longer lines. */
const LONGEST_SUBJECT = 900;

function subjectOf({ status, message, output_target, action, rule }: Notice): string {
  const facts = Object.entries({ OutputTarget: output_target, Action: action, Rule: rule });
  const named = facts.map(([name, value]) => (value ? ` ${name} '${value}'` : ''));
  return visibleLine(`[falco-talon][${status}][${message}]${named.join('')}`)
    .slice(0, LONGEST_SUBJECT)
    .trim();
}

type Facts = readonly (readonly [name: string, value: string | undefined])[];

function plainBody(notice: Notice): string {
  const { status, action, actionner, rule, event, message, error, result, output, output_target, trace_id } = notice;
  const facts: Facts = [
    ...Object.entries({ Status: status, Action: action, Actionner: actionner, Rule: rule, Event: event }),
    ...([['Message', message], ...noticeObjects(notice)] as const),
    ...Object.entries({ Error: error, Result: result, Output: output && `\n${visibleText(output)}` }),
    ...Object.entries({ OutputTarget: output_target, 'Trace ID': trace_id }),
  ];
  return facts
    .filter(([, value]) => value)
    .map(([name, value = '']) => `${name}: ${name === 'Output' ? value : visibleLine(value)}\n`)
    .join('');
}

const CELL = 'padding:6px 10px;vertical-align:top;font-family:sans-serif;font-size:14px;';

/** A table of two columns below a bar in the colour of the status; styles stand at their elements, as mail programs want it. */
function htmlBody(notice: Notice): string {
  const { action, actionner, rule, event, output_target, message, trace_id, error, result, output, status } = notice;
  const facts: Facts = [
    ...Object.entries({ Action: action, Actionner: actionner, Rule: rule }),
    ...noticeObjects(notice),
    ...Object.entries({ Event: event, Target: output_target, Message: message, 'Trace ID': trace_id }),
    ...Object.entries({ Error: error, Result: result, Output: output }),
  ];
  const rows = facts
    .filter(([, value]) => value)
    .map(([name, value = '']) => {
      const label = `<td style="${CELL}background-color:#858585;color:#ffffff;font-weight:bold">${escaped(name)}</td>`;
      return `<tr>${label}<td style="${CELL}background-color:#d1d6da;color:#000000">${escaped(value)}</td></tr>`;
    });
  const bar = `${CELL}background-color:${statusColor(status)};color:#ffffff;font-weight:bold`;
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Falco Talon</title></head>
<body>
<h1 style="font-family:sans-serif;font-size:20px">Falco Talon</h1>
<table role="presentation" style="border-collapse:collapse;width:100%">
<tr><td colspan="2" style="${bar}">${escaped(status)}</td></tr>
${rows.join('\n')}
</table>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '\n': '<br>' },
};

function escaped(text: string): string {
  return visibleText(text).replace(/[&<>"'\n]/g, (character) => ENTITIES[character] ?? '');
}
