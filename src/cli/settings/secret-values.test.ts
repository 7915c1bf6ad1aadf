import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../model/redact.ts';
import { catalog } from '../plugins/catalog.ts';
import { secretValues } from './secret-values.ts';
import { loadSettings } from './settings.ts';

describe('secretValues', () => {
  const secrets = (env: Record<string, string>) =>
    secretValues(loadSettings({ configFile: undefined, rulesFlags: [], env }), catalog.notifiers);

  it('has none where none is set', () => expect(secrets({ LISTEN_ADDRESS: '127.0.0.1' })).toEqual([]));

  it('has those of the settings, and passwords of users by themselves', () => {
    const env = {
      AWS_SECRET_KEY: 'a',
      AUTH_BEARER_TOKENS: 'b,c',
      AUTH_BASIC_USERS: 'user:p:w',
      AUTH_SECRET_PATHS: '/d',
    };
    expect([...secrets(env)].sort()).toEqual(['/d', 'a', 'b', 'c', 'p:w', 'user:p:w']);
  });

  it('has those of notifiers, and nothing else of theirs', () => {
    const env = {
      NOTIFIERS_SLACK_WEBHOOK_URL: 'https://hooks.example/x',
      NOTIFIERS_SLACK_FORMAT: 'long',
      NOTIFIERS_SMTP_PASSWORD: 'hush',
      NOTIFIERS_UNKNOWN_PASSWORD: 'not asked for',
      NOTIFIERS_LOKI_URL: 'https://user:p%40ss@loki.example',
    };
    expect([...secrets(env)].sort()).toEqual([
      ...['\0user\0p@ss', 'https://hooks.example/x', 'hush', 'p%40ss', 'p@ss', 'user:p@ss'],
    ]);
  });

  it('has those that look like numbers, and those in maps', () => {
    const notifiers = {
      smtp: { password: 12345678 },
      webhook: { custom_headers: { authorization: 'Bearer x', n: 4711 } },
    };
    const settings = { ...loadSettings({ configFile: undefined, rulesFlags: [], env: {} }), notifiers };
    expect([...secretValues(settings, catalog.notifiers)].sort()).toEqual(['12345678', '4711', 'Bearer x', 'x']);
  });

  it('knows them as they go out together with the user', () => {
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    const notifiers = {
      loki: { user: 'loki-user', api_key: 'loki-key' },
      elasticsearch: { url: 'https://es-user:es%20word@search.example.org', user: '', password: '' },
      smtp: { user: 'smtp-user', password: 'smtp-word' },
      webhook: { custom_headers: { Authorization: basic('hook-user:hook-word'), 'X-Token': 'token abcdef' } },
    };
    const settings = { ...loadSettings({ configFile: undefined, rulesFlags: [], env: {} }), notifiers };
    const redact = createRedactor(secretValues(settings, catalog.notifiers));
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const echoed = [
      ...['loki-user:loki-key', 'es-user:es word', '\0smtp-user\0smtp-word', 'hook-user:hook-word'].map(base64),
      ...['hook-word', 'abcdef', base64('smtp-word'), 'es%20word', 'es word', 'loki-key'],
    ];
    expect(echoed.map((text) => redact?.(`got ${text}, sorry`))).toEqual(echoed.map(() => 'got ***, sorry'));
  });
});
