import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../model/log-record.ts';
import { action, rule } from '../../runtime/test-pipeline.ts';
import { catalog } from '../plugins/catalog.ts';
import { loadSettings } from '../settings/settings.ts';
import { refuseUnknown, startWarnings } from './start-checks.ts';

describe('startWarnings', () => {
  const warnings = (env: Record<string, string>) =>
    startWarnings(
      loadSettings({ configFile: undefined, rulesFlags: [], env: { DEDUPLICATION_LEADER_ELECTION: 'false', ...env } }),
    ).map(({ level, message, fields }) => [level, message, fields?.result]);

  it('warns of a server that anybody can reach and that asks nobody who they are', () => {
    expect(warnings({})).toEqual([
      ['warn', 'http', expect.stringContaining('whoever reaches 0.0.0.0 can send events')],
    ]);
    expect(warnings({ LISTEN_ADDRESS: '127.0.0.1' })).toEqual([]);
  });

  it('warns of secrets that travel in the clear', () => {
    const env = { AUTH_BEARER_TOKENS: 'hush-hush-hush-hush' };
    expect(warnings(env)).toEqual([['warn', 'http', expect.stringContaining('unencrypted')]]);
    expect(warnings({ ...env, TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k' })).toEqual([]);
    expect(JSON.stringify(warnings(env))).not.toContain('hush');
  });

  it('warns of an address for metrics that nobody listens on', () => {
    const env = { LISTEN_ADDRESS: '127.0.0.1', METRICS_LISTEN_ADDRESS: '0.0.0.0' };
    expect(warnings(env)).toEqual([
      ['warn', 'config', expect.stringContaining("'metrics_listen_address' has no effect")],
    ]);
    expect(warnings({ ...env, METRICS_LISTEN_PORT: '9100' })).toEqual([]);
  });

  it('warns of a dry run and of an election that does not take place', () => {
    expect(
      warnings({ LISTEN_ADDRESS: '::1', TALON_DRY_RUN: 'true', DEDUPLICATION_LEADER_ELECTION: 'true' }).map(
        ([, message]) => message,
      ),
    ).toEqual(['lease', 'init']);
  });
});

describe('refuseUnknown', () => {
  const lines: LogRecord[] = [];
  const check = (...actions: ReturnType<typeof action>[]) =>
    refuseUnknown([rule('R', actions)], catalog, (line) => void lines.push(line));

  it('names each plug-in of a bundle that this version does not have', () => {
    check(action('a', { actionner: 'kubernetes:label' }));
    const output = { target: 'later:store', parameters: {} };
    expect(() =>
      check(action('b', { actionner: 'later:act' }), action('c', { actionner: 'kubernetes:log', output })),
    ).toThrow('the rules use what this version does not have');
    expect(lines.map(({ fields }) => [fields?.action, fields?.error])).toEqual([
      ['b', "unknown actionner 'later:act'"],
      ['c', "unknown output target 'later:store'"],
    ]);
  });
});
