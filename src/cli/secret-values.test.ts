import { describe, expect, it } from 'vitest';
import { catalog } from './catalog.ts';
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
    expect([...secrets(env)].sort()).toEqual(['https://hooks.example/x', 'hush', 'p%40ss', 'p@ss']);
  });

  it('has those that look like numbers, and those in maps', () => {
    const notifiers = {
      smtp: { password: 12345678 },
      webhook: { custom_headers: { authorization: 'Bearer x', n: 4711 } },
    };
    const settings = { ...loadSettings({ configFile: undefined, rulesFlags: [], env: {} }), notifiers };
    expect([...secretValues(settings, catalog.notifiers)].sort()).toEqual(['12345678', '4711', 'Bearer x']);
  });
});
