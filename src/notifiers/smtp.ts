import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import { requiredSetting, settingFlag, settingText, settingWord } from '../model/notifier-settings.ts';

/** Sends a mail. */
export const smtp = defineNotifier({
  id: 'smtp',
  description: 'Send an e-mail',
  settings: z.object({
    host_port: requiredSetting('host and port of the mail server', 'wrong `host_port` setting'),
    from: requiredSetting('address of the sender', 'wrong `from` setting'),
    to: requiredSetting('addresses of the receivers, separated by commas', 'wrong `to` setting'),
    user: settingText('user to log in as; empty for no login'),
    password: settingText('password of the user', '', { secret: true }),
    format: settingWord('layout of the mail', ['html', 'text'], 'html'),
    tls: settingFlag('whether to switch to TLS (STARTTLS)', false),
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
});
