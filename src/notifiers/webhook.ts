import * as z from 'zod';
import { checkAnswer } from '../model/check-answer.ts';
import { defineNotifier, targetOf } from '../model/definition.ts';
import { goJson } from '../model/json-text.ts';
import { noticeRecord } from '../model/notice-text.ts';
import { requiredUrl, settingHeader, settingHeaders, settingMethod } from '../model/notifier-settings.ts';
import type { EndpointRef } from '../model/references.ts';

/** Sends the notice as JSON to an HTTP endpoint. */
export const webhook = defineNotifier({
  id: 'webhook',
  description: 'Send the notice as JSON to an HTTP endpoint',
  settings: z.object({
    url: requiredUrl('address of the endpoint', 'wrong `url` setting', { secret: true }),
    http_method: settingMethod(
      'method of the request; with GET no notice is sent',
      'POST',
      'wrong `http_method` setting',
    ),
    user_agent: settingHeader('name that the request carries', 'wrong `user_agent` setting', 'falco-talon'),
    content_type: settingHeader(
      'type that the request declares',
      'wrong `content_type` setting',
      'application/json; charset=utf-8',
    ),
    custom_headers: settingHeaders('further headers'),
  }),
  example: `notifiers:
  webhook:
    url: https://siem.example.org/talon
    custom_headers:
      Authorization: Bearer XXXX
`,
  behaviour: {
    uses: ['http.send'],
    deadline: 30,
    reach: ({ url, custom_headers: headers }) => ({ endpoint: { url, headers } }),
    async send({ settings: { http_method: method, user_agent, content_type }, notice, targets, use }) {
      const endpoint = targetOf<'endpoint', EndpointRef>(targets, 'endpoint');
      const headers = { 'User-Agent': user_agent, 'Content-Type': content_type };
      const bodiless = method === 'GET' || method === 'HEAD';
      const body = bodiless ? undefined : `${goJson(noticeRecord(notice))}\n`;
      checkAnswer(await use['http.send'](endpoint, { method, headers, body }, false));
    },
  },
});
