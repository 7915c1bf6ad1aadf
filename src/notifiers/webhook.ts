import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import { requiredUrl, settingHeaders, settingText } from '../model/notifier-settings.ts';

/** Sends the notice as JSON to an HTTP endpoint. */
export const webhook = defineNotifier({
  id: 'webhook',
  description: 'Send the notice as JSON to an HTTP endpoint',
  settings: z.object({
    url: requiredUrl('address of the endpoint', 'wrong `url` setting', { secret: true }),
    http_method: settingText('method of the request', 'POST'),
    user_agent: settingText('name that the request carries', 'falco-talon'),
    content_type: settingText('type that the request declares', 'application/json; charset=utf-8'),
    custom_headers: settingHeaders('further headers'),
  }),
  example: `notifiers:
  webhook:
    url: https://siem.example.org/talon
    custom_headers:
      Authorization: Bearer XXXX
`,
});
