import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import { requiredUrl, settingText, settingWord } from '../model/notifier-settings.ts';

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
});
