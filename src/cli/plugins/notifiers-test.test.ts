import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPluginScript } from '../../../tools/generate/plugin-scripts.ts';
import { RecordingEndpoint } from '../../platform/http/recording-endpoint.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { runRecorded } from '../run-recorded.ts';
import { catalog } from './catalog.ts';
import { NOTIFIERS } from './notifiers-commands.ts';
import { type NotifiersTestFlags, notifiersTest } from './notifiers-test.ts';

const endpoint = new RecordingEndpoint().use();
const folder = mkdtempSync(path.join(tmpdir(), 'talon-notifiers-'));
const config = path.join(folder, 'config.yaml');
const scripts = new Map<string, string>();

beforeAll(async () => {
  for (const id of ['webhook', 'slack']) {
    scripts.set(id, await buildPluginScript(`src/notifiers/${id}.ts`, id, 'notifiers'));
  }
  writeFileSync(
    config,
    `notifiers:
  webhook: {url: "${endpoint.url}/hook", custom_headers: {Authorization: "Bearer a-secret-token"}}
  slack: {webhook_url: "http://127.0.0.1:1/services/a-secret-path"}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function test(name: string, flags: Partial<NotifiersTestFlags> = {}, env: Record<string, string> = {}) {
  const terminal = recordingTerminal({ env });
  const context = { terminal, globals: { rules: [], policies: [], config } };
  const code = await notifiersTest(
    context,
    name,
    { stage: 'action', status: 'success', format: 'text', ...flags },
    scripts,
  );
  return { code, out: terminal.stdout(), err: terminal.stderr() };
}

describe('notifiers test', () => {
  it('sends a notice with the settings of the configuration', async () => {
    expect(await test('webhook')).toEqual({ code: 0, out: 'webhook took the notice\n', err: '' });
    expect(endpoint.seen).toMatchObject([{ line: 'POST /hook', headers: { authorization: 'Bearer a-secret-token' } }]);
    expect(JSON.parse(endpoint.seen[0]?.body ?? '')).toMatchObject({ message: 'action', status: 'success' });
  });

  it('sends one of any stage and status', async () => {
    await test('webhook', { stage: 'output', status: 'failure' });
    expect(JSON.parse(endpoint.seen[0]?.body ?? '')).toMatchObject({ message: 'output', status: 'failure' });
  });

  it('takes settings from the environment', async () => {
    await test('webhook', {}, { NOTIFIERS_WEBHOOK_URL: `${endpoint.url}/other` });
    expect(endpoint.seen.map(({ line }) => line)).toEqual(['POST /other']);
  });

  it('says why a notice was not taken', async () => {
    endpoint.answers.set('POST /hook', { status: 400, body: 'bad token: Bearer a-secret-token' });
    expect(await test('webhook')).toEqual({
      ...{ code: 1, out: '', err: 'Error: webhook did not take the notice: header missing: bad token: ***\n' },
    });
    expect(await test('webhook', { format: 'json' })).toMatchObject({ code: 1, err: '' });
  });

  it('says so as JSON', async () => {
    expect(JSON.parse((await test('webhook', { format: 'json' })).out)).toEqual({
      notifier: 'webhook',
      status: 'success',
    });
    expect(JSON.parse((await test('slack', { format: 'json' })).out)).toEqual({
      ...{ notifier: 'slack', status: 'failure', code: 'unreachable' },
      error: 'no answer from 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    });
  });

  it('says what is wrong with the settings', async () => {
    scripts.set('loki', 'unused');
    const { code, err } = await test('loki');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'Error: loki did not take the notice: wrong `url` setting (notifiers.loki.url)\n',
    });
  });

  it('knows the names, in any case of letters', async () => {
    expect([...NOTIFIERS]).toEqual([...catalog.notifiers.keys()]);
    const { code, err } = await runRecorded(['notifiers', 'test', 'Slac', '-c', config]);
    expect({ code, err }).toEqual({ code: 1, err: "Error: unknown notifier 'slac', did you mean `slack`?\n" });
    expect((await runRecorded(['notifiers', 'test', 'LOKI', '-c', config])).err).toContain(
      'loki did not take the notice',
    );
  });

  it('completes names and choices', async () => {
    expect((await runRecorded(['complete', '--', 'notifiers', 'test', ''])).out).toContain('slack');
    expect((await runRecorded(['complete', '--', 'notifiers', 'test', 'slack', '--stage', ''])).out).toContain(
      'output',
    );
  });
});
