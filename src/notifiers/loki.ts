import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import { requiredUrl, settingHeaders, settingText } from '../model/notifier-settings.ts';

/** Sends a log line to Loki. */
export const loki = defineNotifier({
  id: 'loki',
  description: 'Send a log line to Loki',
  settings: z.object({
    url: requiredUrl('address of Loki, without a path', 'wrong `url` setting', { aliases: ['host_port'] }),
    user: settingText('user; needs the key too'),
    api_key: settingText('key of the user', '', { secret: true }),
    tenant: settingText('tenant, for a Loki with several'),
    custom_headers: settingHeaders('further headers'),
  }),
  example: `notifiers:
  loki:
    url: https://loki.example.org:3100
    user: talon
    api_key: XXXX
`,
});
