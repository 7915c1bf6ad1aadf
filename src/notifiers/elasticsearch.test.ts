import { describe, expect, it } from 'vitest';
import { ACTION, HOSTILE, hostileNotice, reachOf, sendWith } from '../runtime/plugins/notifier-fixture.ts';
import { elasticsearch } from './elasticsearch.ts';

const url = 'https://search.example.org:9200';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}
async function requestsOf(
  settings: object = {},
  { notice = ACTION, ...options }: { notice?: typeof ACTION; first?: boolean; answers?: object[] } = {},
) {
  const calls = await sendWith(elasticsearch, { url, ...settings }, notice, options);
  return calls.map(([, request]) => request as Request);
}
const lines = (requests: readonly Request[]) => requests.map(({ method, path }) => `${method} ${path}`);

describe('a document for Elasticsearch', () => {
  it('is the record with the time', async () => {
    expect(await requestsOf()).toEqual([
      {
        method: 'POST',
        path: '/falco-talon-2026.03.01/_doc',
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body:
          '{"time":"2026-03-01T10:00:00Z","objects":{"Namespace":"shop","Pod":"cart-6f7d"},"trace_id":"0af7651916cd43dd8448eb211c80319c",' +
          '"rule":"Label on shell","event":"A shell was spawned in a container (user=root shell=bash)","message":"action",' +
          `"output":"the pod 'cart-6f7d' in the namespace 'shop' has been labeled",` +
          '"actionner":"kubernetes:label","action":"Mark pod","status":"success"}\n',
      },
    ]);
  });

  it.each([
    ['none', '/talon/_doc'],
    ['annually', '/talon-2026/_doc'],
    ['monthly', '/talon-2026.03/_doc'],
    ['daily', '/talon-2026.03.01/_doc'],
    ['hourly', '/talon-2026.03.01/_doc'],
  ])('with the suffix %s goes to %s', async (suffix, path) => {
    expect(lines(await requestsOf({ index: 'talon', suffix }))).toEqual([`POST ${path}`]);
  });

  it('goes to the index of the day in UTC', async () => {
    const notice = { ...ACTION, time: '2026-12-31T23:59:59.999Z' };
    expect(lines(await requestsOf({}, { notice }))).toEqual(['POST /falco-talon-2026.12.31/_doc']);
  });

  it('keeps to its index, whatever that is called', async () => {
    expect(lines(await requestsOf({ index: '../_all/x?y#', suffix: 'none' }))).toEqual([
      'POST /..%2F_all%2Fx%3Fy%23/_doc',
    ]);
  });

  it.each(HOSTILE)('carries any text: %.20s', async (text) => {
    const [request] = await requestsOf({}, { notice: hostileNotice(text) });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ event: text, objects: { Pod: text, Namespace: 'shop' } });
  });

  it('is sent with the credentials of the settings', () => {
    const settings = { user: 'talon', password: 'p', custom_headers: { 'x-a': 'b' } };
    expect(reachOf(elasticsearch, { host_port: url, ...settings })).toEqual({
      endpoint: { url, headers: { 'x-a': 'b' }, login: { user: 'talon', password: 'p' } },
    });
    expect(reachOf(elasticsearch, { url, user: 'talon' })).toEqual({ endpoint: { url, headers: {} } });
  });

  it.each([
    [{}, 'wrong `url` setting'],
    [{ url: 'search' }, 'invalid url'],
    [{ url, number_of_shards: 0 }, 'wrong `number_of_shards` setting'],
    [{ url, number_of_replicas: -1 }, 'wrong `number_of_replicas` setting'],
  ])('refuses the settings %j', (settings, problem) => {
    expect(() => reachOf(elasticsearch, settings)).toThrow(problem);
  });

  it('fails when it is not taken', async () => {
    await expect(requestsOf({}, { answers: [{ status: 401 }] })).rejects.toThrow('authentication error');
  });
});

describe('the template of the indices', () => {
  const MISSING = { status: 404 };
  const GET = 'GET /_index_template/falco-talon';
  const PUT = 'PUT /_index_template/falco-talon';
  const DOCUMENT = 'POST /falco-talon-2026.03.01/_doc';

  it('is created before the first document where it is missing', async () => {
    const settings = { number_of_shards: '1', number_of_replicas: 0 };
    const requests = await requestsOf(settings, { first: true, answers: [MISSING] });
    expect(lines(requests)).toEqual([GET, PUT, DOCUMENT]);
    const keyword = (ignore_above: number) => ({
      type: 'text',
      fields: { keyword: { type: 'keyword', ignore_above } },
    });
    const properties = Object.fromEntries(
      ['action', 'actionner', 'message', 'rule', 'status'].map((name) => [name, keyword(128)]),
    );
    expect(requests[1]).toMatchObject({
      headers: { 'User-Agent': 'falco-talon', 'Content-Type': 'application/json; charset=utf-8' },
    });
    expect(JSON.parse(requests[1]?.body ?? '')).toEqual({
      index_patterns: ['falco-talon*'],
      template: {
        settings: { number_of_shards: 1, number_of_replicas: 0 },
        mappings: {
          _meta: { description: 'Notices of Falco Talon' },
          _source: { enabled: true },
          properties: {
            ...properties,
            ...{ time: { type: 'date' }, error: keyword(256), trace_id: keyword(256), event: keyword(1024) },
            ...{ output: keyword(2048), result: keyword(2048) },
            objects: { properties: { Namespace: keyword(128), Pod: keyword(128) } },
          },
        },
      },
    });
  });

  it('has the name and the pattern of the index', async () => {
    const [, put] = await requestsOf({ index: 'soc' }, { first: true, answers: [MISSING] });
    expect(put?.path).toBe('/_index_template/soc');
    expect(JSON.parse(put?.body ?? '')).toMatchObject({ index_patterns: ['soc*'] });
  });

  it.each([
    ['with every document but the first', {}, { first: false }, [DOCUMENT]],
    ['where nobody wants it', { create_index_template: 'false' }, { first: true }, [DOCUMENT]],
    ['where it is there', {}, { first: true }, [GET, DOCUMENT]],
    ['where it may not be asked for', {}, { first: true, answers: [{ status: 403 }] }, [GET, DOCUMENT]],
  ])('is left alone %s', async (_, settings, options, expected) => {
    expect(lines(await requestsOf(settings, options))).toEqual(expected);
  });

  it.each([
    [[{ status: 401 }], 'authentication error'],
    [[{ status: 503, statusLine: '503 Service Unavailable' }], '503 Service Unavailable'],
    [[MISSING, { status: 403 }], 'access denied'],
  ])('keeps the document back when it cannot be made: %j', async (answers, message) => {
    await expect(requestsOf({}, { first: true, answers })).rejects.toThrow(message);
  });
});
