import * as z from 'zod';
import { checkAnswer } from '../model/check-answer.ts';
import { defineNotifier, targetOf } from '../model/definition.ts';
import { goJson } from '../model/json-text.ts';
import type { Notice } from '../model/notice.ts';
import { cutToBytes, noticeObjects } from '../model/notice-text.ts';
import { requiredUrl, settingFlag, settingHeader, settingHeaders, settingText } from '../model/notifier-settings.ts';
import type { EndpointRef } from '../model/references.ts';

/** Sends a log line to Loki. */
export const loki = defineNotifier({
  id: 'loki',
  description: 'Send a log line to Loki',
  settings: z.object({
    url: requiredUrl('address of Loki, without a path', 'wrong `url` setting', { aliases: ['host_port'] }),
    user: settingText('user; needs the key too'),
    api_key: settingText('key of the user', '', { secret: true }),
    tenant: settingHeader('tenant, for a Loki with several', 'wrong `tenant` setting'),
    custom_headers: settingHeaders('further headers'),
    structured_metadata: settingFlag(
      'whether the trace id and all objects but the namespace are no labels, which keeps the index small',
      false,
    ),
  }),
  example: `notifiers:
  loki:
    url: https://loki.example.org:3100
    user: talon
    api_key: XXXX
`,
  behaviour: {
    uses: ['http.send'],
    deadline: 30,
    reach: ({ url, user, api_key: password, tenant, custom_headers }) => ({
      endpoint: {
        url,
        headers: { ...custom_headers, ...(tenant && { 'X-Scope-OrgID': tenant }) },
        ...(user && password && { login: { user, password } }),
      },
    }),
    async send({ settings, notice, targets, use }) {
      const endpoint = targetOf<'endpoint', EndpointRef>(targets, 'endpoint');
      const { error, result, output = '', time } = notice;
      const { stream, metadata } = labelsOf(notice, settings.structured_metadata);
      const value = [`${Date.parse(time)}000000`, error || result || output, ...(metadata ? [metadata] : [])];
      const request = {
        method: 'POST',
        path: '/loki/api/v1/push',
        headers: { 'User-Agent': 'falco-talon', 'Content-Type': 'application/json' },
        body: `${goJson({ streams: [{ stream, values: [value] }] })}\n`,
      };
      checkAnswer(await use['http.send'](endpoint, request, false));
    },
  },
});

type Labels = Readonly<Record<string, string>>;

/** Loki refuses streams of more labels, and longer values in bytes, unless it is told otherwise. */
const MOST_LABELS = 15;
const LONGEST_VALUE = 2_048;

/** Labels, and where it is wanted what is found without an index. */
function labelsOf(notice: Notice, structured: boolean): { readonly stream: Labels; readonly metadata?: Labels } {
  const { status, rule, action, actionner, output_target: outputtarget, message, trace_id: traceid } = notice;
  const own = { status, rule: word(rule), action: word(action), actionner, outputtarget, message };
  const objects = noticeObjects(notice).map(([key, value]) => [key.toLowerCase(), value] as const);
  if (!structured) return { stream: labels([...Object.entries({ ...own, traceid }), ...objects]) };
  const indexed = objects.filter(([key]) => key === 'namespace');
  const others = objects.filter(([key]) => key !== 'namespace');
  return {
    stream: labels([...Object.entries(own), ...indexed]),
    metadata: labels([['traceid', traceid], ...others]),
  };
}

function word(text: string): string {
  return text.replaceAll(' ', '_').toLowerCase();
}

/** The first of each name, since objects have names of their own; none that is empty. */
function labels(given: readonly (readonly [name: string, value: string | undefined])[]): Labels {
  const found = new Map<string, string>();
  for (const [name, value] of given) {
    if (!value || found.has(name) || !/^[a-z_][a-z0-9_]*$/.test(name)) continue;
    if (found.size < MOST_LABELS) found.set(name, cutToBytes(value, LONGEST_VALUE));
  }
  return Object.fromEntries(found);
}
