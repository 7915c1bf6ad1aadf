import { expect, it } from 'vitest';
import { catalog } from '../plugins/catalog.ts';
import { notifierWarnings } from './notifier-warnings.ts';

const warnings = (name: string, given: Record<string, unknown>) => {
  const notifier = catalog.notifiers.get(name);
  if (!notifier) throw new Error('the test is wrong');
  return notifierWarnings(notifier, given);
};

it.each<[string, Record<string, unknown>, string]>([
  [
    'slack',
    { format: 'Short' },
    "the value of the setting 'notifiers.slack.format' cannot be read, long is used (it can be long, short)",
  ],
  [
    'elasticsearch',
    { suffix: 'weekly' },
    "the value of the setting 'notifiers.elasticsearch.suffix' cannot be read, daily is used (it can be daily, monthly, annually, none)",
  ],
  ['smtp', { tls: 'yes' }, "the value of the setting 'notifiers.smtp.tls' cannot be read, false is used"],
  [
    'elasticsearch',
    { number_of_shards: '3.5' },
    "the value of the setting 'notifiers.elasticsearch.number_of_shards' cannot be read, 3 is used",
  ],
  [
    'slack',
    { webhok_url: 'https://hooks.example.org/a-secret' },
    "the setting 'notifiers.slack.webhok_url' is unknown and has no effect: did you mean `webhook_url`?",
  ],
])('%s warns of %j', (name, given, text) => expect(warnings(name, given)).toEqual([text]));

it('has nothing to say of settings that are read as they are', () => {
  const elasticsearch = { host_port: 'http://x:9200', suffix: 'none', create_index_template: 'F', number_of_shards: 1 };
  expect(warnings('elasticsearch', { ...elasticsearch, number_of_replicas: null, custom_headers: { a: 'b' } })).toEqual(
    [],
  );
  expect(warnings('slack', { webhook_url: 'https://x', footer: '', icon: 5 })).toEqual([]);
});
