import * as z from 'zod';
import type { HttpAnswer, HttpRequest } from '../model/capability.ts';
import { checkAnswer, isBusy } from '../model/check-answer.ts';
import { defineNotifier, targetOf } from '../model/definition.ts';
import { goJson } from '../model/json-text.ts';
import { noticeRecord } from '../model/notice-text.ts';
import {
  requiredUrl,
  settingFlag,
  settingHeaders,
  settingInteger,
  settingText,
  settingWord,
} from '../model/notifier-settings.ts';
import type { EndpointRef } from '../model/references.ts';

/** Stores the notice as a document of Elasticsearch or OpenSearch. */
export const elasticsearch = defineNotifier({
  id: 'elasticsearch',
  description: 'Store the notice in Elasticsearch',
  settings: z.object({
    url: requiredUrl('address of the cluster', 'wrong `url` setting', { aliases: ['host_port'] }),
    user: settingText('user; needs the password too'),
    password: settingText('password of the user', '', { secret: true }),
    index: settingText('first part of the name of the index', 'falco-talon'),
    suffix: settingWord('how often a new index begins', ['daily', 'monthly', 'annually', 'none'], 'daily'),
    create_index_template: settingFlag('whether to create the template of the indices with the first notice', true),
    number_of_shards: settingInteger('shards of an index', 3, 1, 'wrong `number_of_shards` setting'),
    number_of_replicas: settingInteger('replicas of an index', 3, 0, 'wrong `number_of_replicas` setting'),
    custom_headers: settingHeaders('further headers'),
  }),
  example: `notifiers:
  elasticsearch:
    url: https://search.example.org:9200
    index: falco-talon
    suffix: monthly
    number_of_shards: 1
    number_of_replicas: 1
`,
  behaviour: {
    uses: ['http.send'],
    deadline: 60,
    reach: ({ url, user, password, custom_headers: headers }) => ({
      endpoint: { url, headers, ...(user && password && { login: { user, password } }) },
    }),
    async send({ settings, notice, first, targets, use }) {
      const endpoint = targetOf<'endpoint', EndpointRef>(targets, 'endpoint');
      const send: Send = (request) => use['http.send'](endpoint, request, false);
      if (first && settings.create_index_template) await ensureTemplate(settings, send);
      // To the second, as Falco Talon writes it.
      const time = notice.time.replace(/\.\d+(?=Z$)/, '');
      const index = settings.index + suffixOf(settings.suffix, notice.time);
      const path = `/${encodeURIComponent(index)}/_doc`;
      const body = `${goJson({ time, ...noticeRecord(notice) })}\n`;
      checkAnswer(await send({ method: 'POST', path, headers: { 'Content-Type': JSON_TYPE }, body }));
    },
  },
});

const JSON_TYPE = 'application/json; charset=utf-8';

type Send = (request: HttpRequest) => Promise<HttpAnswer>;
type Suffix = 'daily' | 'monthly' | 'annually' | 'none';

/** The part of the name that tells the time, in UTC: `-2026.03.01`. */
function suffixOf(suffix: Suffix, time: string): string {
  const [year, month, day] = time.slice(0, 10).split('-');
  switch (suffix) {
    case 'none':
      return '';
    case 'annually':
      return `-${year}`;
    case 'monthly':
      return `-${year}.${month}`;
    case 'daily':
      return `-${year}.${month}.${day}`;
  }
}

interface TemplateSettings {
  readonly index: string;
  readonly number_of_shards: number;
  readonly number_of_replicas: number;
}

/**
 * Creates the template of the indices where there is none of its name. Whoever may write documents need not be allowed to ask
 * for it; then indices are as the cluster makes them.
 */
async function ensureTemplate(settings: TemplateSettings, send: Send): Promise<void> {
  const path = `/_index_template/${encodeURIComponent(settings.index)}`;
  const headers = { 'User-Agent': 'falco-talon', 'Content-Type': JSON_TYPE };
  const found = await send({ method: 'GET', path, headers });
  if (found.status === 401 || isBusy(found.status)) checkAnswer(found);
  if (found.status !== 404) return;
  checkAnswer(await send({ method: 'PUT', path, headers, body: `${goJson(templateOf(settings))}\n` }));
}

/** Fields with the length up to which they are also found as a whole. */
const KEYWORDS: Readonly<Record<string, number>> = {
  ...{ action: 128, actionner: 128, message: 128, rule: 128, status: 128 },
  ...{ error: 256, trace_id: 256, event: 1_024, output: 2_048, result: 2_048 },
};

function templateOf({ index, number_of_shards, number_of_replicas }: TemplateSettings): object {
  const fields = Object.entries(KEYWORDS).map(([name, longest]) => [name, textField(longest)]);
  const objects = { properties: { Namespace: textField(128), Pod: textField(128) } };
  return {
    index_patterns: [`${index}*`],
    template: {
      settings: { number_of_shards, number_of_replicas },
      mappings: {
        _meta: { description: 'Notices of Falco Talon' },
        _source: { enabled: true },
        properties: { time: { type: 'date' }, ...Object.fromEntries(fields), objects },
      },
    },
  };
}

function textField(ignore_above: number): object {
  return { type: 'text', fields: { keyword: { type: 'keyword', ignore_above } } };
}
