import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPluginScript } from '../../../tools/generate/plugin-scripts.ts';
import { catalog } from '../../cli/plugins/catalog.ts';
import { workerStart } from '../../cli/worker-file.ts';
import type { Notice } from '../../model/notice.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { createHttpDoors } from '../../platform/http/http-doors.ts';
import { RecordingEndpoint } from '../../platform/http/recording-endpoint.ts';
import { createExecutor, type Executor } from './execute.ts';
import { fakeAdapters } from './executor-fixture.ts';
import { ACTION, HOSTILE, hostileNotice } from './notifier-fixture.ts';

/** Notifiers as they run: in the sandbox, with the real door before a real server. */

const endpoint = new RecordingEndpoint().use();
const doors = createHttpDoors({ secretOf: () => undefined });
const used: { executor?: Executor; sent: unknown[] } = { sent: [] };
const signal = new AbortController().signal;

beforeAll(async () => {
  const scripts = await Promise.all(
    [...catalog.notifiers.keys()].map(
      async (id) => [id, await buildPluginScript(`src/notifiers/${id}.ts`, id, 'notifiers')] as const,
    ),
  );
  const note = async (...given: unknown[]) => void used.sent.push(given.slice(0, -1));
  used.executor = createExecutor({
    adapters: fakeAdapters({ ...doors.adapters, 'mail.send': note, 'events.create': note }).adapters,
    scripts: new Map(scripts),
    worker: workerStart('sandbox'),
  });
  await used.executor.ready();
});
afterAll(async () => {
  await used.executor?.end();
  await doors.close();
});

function send(id: string, settings: ParameterMap, notice: Notice = ACTION, first = false) {
  const notifier = catalog.notifiers.get(id);
  if (!notifier || !used.executor) throw new Error('the test is wrong');
  return used.executor.send({ notifier, settings, notice, first }, signal);
}

const TAKEN = { status: 'success', output: '', objects: {} };

describe('a notice', () => {
  it('goes to the webhook', async () => {
    const settings = {
      url: `${endpoint.url}/hook`,
      custom_headers: { authorization: 'Bearer x', 'User-Agent': 'not me' },
    };
    expect(await send('webhook', settings)).toEqual(TAKEN);
    expect(endpoint.seen).toMatchObject([
      {
        line: 'POST /hook',
        headers: {
          authorization: 'Bearer x',
          'user-agent': 'falco-talon',
          'content-type': 'application/json; charset=utf-8',
        },
        body: expect.stringMatching(/^\{"objects":\{"Namespace":"shop","Pod":"cart-6f7d"\},"trace_id":"0af7.*\}\n$/),
      },
    ]);
  });

  it('goes to Slack', async () => {
    expect(await send('slack', { webhook_url: `${endpoint.url}/services/x` })).toEqual(TAKEN);
    expect(endpoint.seen).toMatchObject([
      { line: 'POST /services/x', body: expect.stringMatching(/^\{"text":"\[\*SUCC/) },
    ]);
    expect(endpoint.seen[0]?.headers).not.toHaveProperty('user-agent');
  });

  it('goes to Loki, with tenant and login', async () => {
    const settings = { url: `${endpoint.url}/`, user: 'u', api_key: 'k', tenant: 't' };
    endpoint.answers.set('POST /loki/api/v1/push', { status: 204 });
    expect(await send('loki', settings)).toEqual(TAKEN);
    const authorization = `Basic ${Buffer.from('u:k').toString('base64')}`;
    const headers = { authorization, 'x-scope-orgid': 't', 'content-type': 'application/json' };
    expect(endpoint.seen).toMatchObject([{ line: 'POST /loki/api/v1/push', headers }]);
  });

  it('goes to Elasticsearch, with the login on each request', async () => {
    endpoint.answers.set('GET /_index_template/falco-talon', { status: 404 });
    endpoint.answers.set('POST /falco-talon-2026.03.01/_doc', { status: 201 });
    const settings = { url: endpoint.url, user: 'u', password: 'p', custom_headers: { 'x-a': 'b' } };
    expect(await send('elasticsearch', settings, ACTION, true)).toEqual(TAKEN);
    const headers = { authorization: `Basic ${Buffer.from('u:p').toString('base64')}`, 'x-a': 'b' };
    expect(endpoint.seen).toMatchObject([
      { line: 'GET /_index_template/falco-talon', headers },
      { line: 'PUT /_index_template/falco-talon', headers },
      { line: 'POST /falco-talon-2026.03.01/_doc', headers },
    ]);
  });

  it('goes to the mailbox, and onto the pod', async () => {
    used.sent.length = 0;
    const settings = { host_port: 'mail:25', from: 'a@example.org', to: 'b@example.org' };
    expect(await send('smtp', settings)).toEqual(TAKEN);
    expect(await send('k8sevents', {})).toEqual(TAKEN);
    expect(used.sent).toMatchObject([
      [{ kind: 'mailbox', server: 'mail:25', to: ['b@example.org'] }, { html: expect.stringMatching(/cart-6f7d/) }],
      [{ kind: 'subject', of: 'Pod', name: 'cart-6f7d', namespace: 'shop' }, { action: 'kubernetes:label' }],
    ]);
  });

  it('that is not taken fails, with the wait that was asked for', async () => {
    endpoint.answers.set('POST /hook', { status: 429, headers: { 'retry-after': '7' } });
    expect(await send('webhook', { url: `${endpoint.url}/hook` })).toMatchObject({
      ...{ status: 'failure', code: 'busy', error: 'exceeding post rate limit', retryAfterMs: 7000 },
    });
  });

  it('for nobody there shows no more of the URL than the host', async () => {
    const outcome = await send('slack', { webhook_url: 'http://127.0.0.1:1/services/secret' });
    expect(outcome).toMatchObject({
      ...{
        status: 'failure',
        code: 'unreachable',
        error: 'no answer from 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
      },
    });
  });

  it('with wrong settings is not sent', async () => {
    expect(await send('slack', {})).toMatchObject({
      status: 'failure',
      code: 'refused',
      error: 'wrong `webhook_url` setting',
    });
  });

  it.each(HOSTILE.slice(0, -1))('gets through with any text: %.20s', async (text) => {
    const settings: Readonly<Record<string, ParameterMap>> = {
      webhook: { url: endpoint.url },
      slack: { webhook_url: endpoint.url },
      loki: { url: endpoint.url },
      elasticsearch: { url: endpoint.url },
      smtp: { host_port: 'mail:25', from: 'a@example.org', to: 'b@example.org' },
      k8sevents: {},
    };
    for (const [id, given] of Object.entries(settings))
      expect(await send(id, given, hostileNotice(text))).toEqual(TAKEN);
    for (const { body } of endpoint.seen) expect(JSON.parse(body)).toBeTypeOf('object');
  });
});
