import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';
import {
  requiredUrl,
  settingFlag,
  settingHeaders,
  settingInteger,
  settingText,
  settingWord,
} from '../model/notifier-settings.ts';

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
    create_index_template: settingFlag('whether to create the template of the indices at start', true),
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
});
