import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPluginScript } from '../../../tools/generate/plugin-scripts.ts';
import { workerStart } from '../../cli/worker-file.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { createHttpDoors } from '../../platform/http/http-doors.ts';
import { RecordingEndpoint } from '../../platform/http/recording-endpoint.ts';
import { createExecutor, type Executor } from '../../runtime/plugins/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../../runtime/plugins/executor-fixture.ts';
import { HOSTILE } from '../../runtime/plugins/notifier-fixture.ts';
import { call } from './call.ts';

const endpoint = new RecordingEndpoint().use();
const written: string[] = [];
const spool = {
  write: async (name: string, mediaType: string, source: AsyncIterable<Uint8Array>) => {
    const chunks = [];
    for await (const chunk of source) chunks.push(chunk);
    written.push(Buffer.concat(chunks).toString());
    return { handle: 'h', name, mediaType, size: 1, sha256: 's' };
  },
  read: () => {
    throw new Error('the test is wrong');
  },
};
const doors = createHttpDoors({ spool, secretOf: (name) => (name === 'TALON_SECRET_KEY' ? 'k-1' : undefined) });
const used: { executor?: Executor } = {};

beforeAll(async () => {
  used.executor = createExecutor({
    adapters: fakeAdapters(doors.adapters).adapters,
    scripts: new Map([[call.id, await buildPluginScript('src/actionners/webhook/call.ts', 'call')]]),
    worker: workerStart('sandbox'),
  });
  await used.executor.ready();
});
afterAll(async () => {
  await used.executor?.end();
  await doors.close();
});

/** Runs the actionner in the sandbox, with the real door before a real server. */
function run(parameters: ParameterMap, tokens: Record<string, string> = {}, keeps = false) {
  const step = {
    ...{ actionner: call, parameters: { url: `${endpoint.url}/hook`, ...parameters }, event: alertWith({}), keeps },
    ...{ tokens: () => new Map(Object.entries(tokens)), record: memoryRecord().record, milliseconds: 20_000 },
  };
  return used.executor?.run(step, new AbortController().signal);
}

const host = () => `127.0.0.1:${endpoint.port}`;

describe('webhook:call', () => {
  it('sends a body with the values of the alert, and headers that nobody sees', async () => {
    endpoint.answers.set('POST /hook', { status: 201 });
    const outcome = await run(
      {
        body: `{"pod": "\${K8S_POD_NAME}", "n": [1, null, true, "a $K8S_NS_NAME b"], "$K8S_POD_NAME": 2.50, "gone": "$NOTHING"}`,
        headers: { 'X-A': 'b', 'X-N': 1 },
        secret_headers: { Authorization: 'TALON_SECRET_KEY' },
      },
      { K8S_POD_NAME: 'web', K8S_NS_NAME: 'shop' },
    );
    expect(outcome).toEqual({
      status: 'success',
      output: `the endpoint '${host()}' answered 201 Created`,
      objects: { endpoint: host(), status: '201' },
    });
    expect(endpoint.seen).toMatchObject([
      {
        line: 'POST /hook',
        headers: { authorization: 'k-1', 'x-a': 'b', 'x-n': '1', 'content-type': 'application/json; charset=utf-8' },
        body: '{"pod":"web","n":[1,null,true,"a shop b"],"$K8S_POD_NAME":2.5,"gone":""}',
      },
    ]);
  });

  it.each([...HOSTILE, '","admin":true,"x":"', '$K8S_NS_NAME'])('keeps a value in its text: %.20s', async (text) => {
    const tokens = { K8S_POD_NAME: text.slice(0, 500_000), K8S_NS_NAME: 'shop' };
    expect(await run({ body: '{"pod":"$K8S_POD_NAME"}' }, tokens)).toMatchObject({ status: 'success' });
    expect(JSON.parse(endpoint.seen[0]?.body ?? '')).toEqual({ pod: tokens.K8S_POD_NAME });
  });

  it('puts nothing of an alert into the address', async () => {
    await run({ url: `${endpoint.url}/$K8S_POD_NAME` }, { K8S_POD_NAME: '../admin' });
    expect(endpoint.seen.map(({ line }) => line)).toEqual(['POST /$K8S_POD_NAME']);
  });

  it('sends no body where there is none', async () => {
    expect(await run({ method: 'GET' })).toMatchObject({ status: 'success' });
    expect(endpoint.seen).toMatchObject([{ line: 'GET /hook', body: '' }]);
    expect(endpoint.seen[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each([
    ['null', 'null'],
    ['"$A"', '"x"'],
    ['[]', '[]'],
  ])('sends any JSON: %s', async (body, sent) => {
    await run({ body }, { A: 'x' });
    expect(endpoint.seen[0]?.body).toBe(sent);
  });

  it('keeps the answer for an output', async () => {
    endpoint.answers.set('POST /hook', {
      status: 200,
      body: '{"id":7}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await run({}, {}, true)).toMatchObject({
      status: 'success',
      artifact: { name: 'response', mediaType: 'application/json' },
    });
    expect(written).toEqual(['{"id":7}']);
  });

  it.each([
    [204, '204', 'success', undefined],
    [204, 204, 'success', undefined],
    [302, '200-299, 302', 'success', undefined],
    [200, '204', 'failure', 'refused'],
    [404, '', 'failure', 'refused'],
    [500, undefined, 'failure', 'busy'],
    [429, undefined, 'failure', 'busy'],
  ])('the status %i, where %j is expected, is %s', async (status, expected_status, end, code) => {
    endpoint.answers.set('POST /hook', { status, headers: { 'retry-after': '2' } });
    const outcome = await run(expected_status === undefined ? {} : { expected_status });
    expect(outcome).toMatchObject({ status: end, objects: { endpoint: host() } });
    if (end === 'success') return;
    expect(outcome).toMatchObject({
      code,
      error: expect.stringMatching(`the endpoint '${host()}' answered ${status} `),
    });
  });

  it('says how long an endpoint wants to be left alone', async () => {
    endpoint.answers.set('POST /hook', { status: 503, headers: { 'retry-after': '2' } });
    expect(await run({})).toMatchObject({ code: 'busy', retryAfterMs: 2000 });
  });

  it('waits as long as it may', async () => {
    endpoint.answers.set('POST /hook', () => undefined);
    expect(await run({ timeout: 1 })).toMatchObject({
      ...{ status: 'failure', code: 'unreachable', error: `no answer from ${host()}: it said nothing in time` },
    });
  });

  it('is not sent without its secret', async () => {
    expect(await run({ secret_headers: { 'X-Key': 'TALON_SECRET_OTHER' } })).toMatchObject({
      ...{ status: 'failure', code: 'refused' },
      error: "the environment variable 'TALON_SECRET_OTHER' of the server is not set",
    });
    expect(endpoint.seen).toEqual([]);
  });

  it.each<[ParameterMap, string]>([
    [{}, "missing parameter 'url'"],
    [{ url: '' }, "missing parameter 'url'"],
    [{ url: 'file:///etc/passwd' }, "parameter 'url' must be an http or https URL"],
    [{ url: 'http:///x' }, "parameter 'url' must be an http or https URL"],
    ...['http://[::', 'http://', 'http://a:99999', 'http://1.2.3.4.5', 'http://a%00b'].map(
      (url): [ParameterMap, string] => [{ url }, "parameter 'url' must be an http or https URL"],
    ),
    [{ headers: { Host: 'b' } }, `the header 'Host' cannot be set`],
    [{ content_type: 'text/plain\nX-A: b' }, `the header 'Content-Type' has a line break`],
    [{ method: 'TRACE' }, "parameter 'method' must be 'POST' or 'PUT' or 'PATCH' or 'DELETE' or 'GET'"],
    [{ body: '{"a": }' }, "parameter 'body' must be JSON: "],
    [{ body: '{"a": "$(id)\n"}' }, "parameter 'body' must be JSON: "],
    [
      { headers: { 'X-A': 'b\r\nX-C: d' } },
      `the header 'X-A' has a line break or another character that headers cannot have`,
    ],
    [{ headers: { 'X A': 'b' } }, 'a header has a name that cannot be one'],
    [
      { secret_headers: { 'X-A': 'AWS_SECRET_ACCESS_KEY' } },
      'a header must name an environment variable that begins with TALON_SECRET_',
    ],
    [{ expected_status: '2xx' }, "parameter 'expected_status' must be codes and ranges of them, such as 200-299, 404"],
    [
      { expected_status: '299-200' },
      "parameter 'expected_status' must be codes and ranges of them, such as 200-299, 404",
    ],
    [{ timeout: -1 }, "parameter 'timeout' must be at least 1"],
    [{ timeout: 4000 }, "parameter 'timeout' must be at most 3600"],
  ])('refuses the parameters %j', (given, message) => {
    const url = Object.keys(given).length === 0 ? {} : { url: 'https://example.org/' };
    expect(decodeParameters(call.parameters, { ...url, ...given })).toMatchObject({
      ...{ ok: false, problems: [{ message: expect.stringContaining(message) }] },
    });
  });
});
