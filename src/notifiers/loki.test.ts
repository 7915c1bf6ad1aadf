import { describe, expect, it } from 'vitest';
import {
  ACTION,
  bodyOf,
  HOSTILE,
  hostileNotice,
  OUTPUT,
  reachOf,
  sendWith,
} from '../runtime/plugins/notifier-fixture.ts';
import { loki } from './loki.ts';

const url = 'https://loki.example.org:3100';

interface Push {
  readonly streams: readonly [
    {
      readonly stream: Record<string, string>;
      readonly values: readonly [readonly [string, string, Record<string, string>?]];
    },
  ];
}
async function pushOf(settings: object = {}, notice = ACTION) {
  const { streams } = JSON.parse(bodyOf(await sendWith(loki, { url, ...settings }, notice))) as Push;
  expect(streams).toHaveLength(1);
  return { stream: streams[0].stream, value: streams[0].values[0] };
}

describe('a line for Loki', () => {
  it('is one of a stream with labels', async () => {
    expect(await sendWith(loki, { url })).toEqual([
      [
        'http.send',
        {
          method: 'POST',
          path: '/loki/api/v1/push',
          headers: { 'User-Agent': 'falco-talon', 'Content-Type': 'application/json' },
          body:
            '{"streams":[{"stream":{"status":"success","rule":"label_on_shell","action":"mark_pod","actionner":"kubernetes:label",' +
            '"message":"action","traceid":"0af7651916cd43dd8448eb211c80319c","namespace":"shop","pod":"cart-6f7d"},' +
            `"values":[["1772359200123000000","the pod 'cart-6f7d' in the namespace 'shop' has been labeled"]]}]}\n`,
        },
        false,
      ],
    ]);
  });

  it('says error before result before output', async () => {
    const lineOf = async (texts: object) => (await pushOf({}, { ...ACTION, ...texts })).value[1];
    expect(await lineOf({ error: 'e', result: 'r', output: 'o' })).toBe('e');
    expect(await lineOf({ result: 'r', output: 'o' })).toBe('r');
    expect(await lineOf({ output: '' })).toBe('');
  });

  it('names the output', async () => {
    expect((await pushOf({}, OUTPUT)).stream).toMatchObject({ outputtarget: 'aws:s3', bucket: 'forensics' });
  });

  it('has no more labels, and no longer ones, than Loki takes', async () => {
    const objects = Object.fromEntries(Array.from('abcdefghijklmnop', (key) => [key.toUpperCase(), 'é'.repeat(2_000)]));
    const { stream } = await pushOf({}, { ...OUTPUT, objects });
    expect(Object.keys(stream)).toHaveLength(15);
    expect(Object.keys(stream)).toEqual(expect.arrayContaining(['status', 'traceid', 'outputtarget', 'a', 'h']));
    expect(stream.a).toBe('é'.repeat(1_024));
  });

  it('is not told what it is by its objects', async () => {
    const objects = { Status: 'success', Traceid: 'x', 'bad-name': 'y', Empty: '' };
    const { stream } = await pushOf({}, { ...ACTION, status: 'failure', objects });
    expect(stream).toMatchObject({ status: 'failure', traceid: ACTION.trace_id });
    expect(Object.keys(stream)).toEqual(['status', 'rule', 'action', 'actionner', 'message', 'traceid']);
  });

  it('may keep what is many out of the index', async () => {
    const { stream, value } = await pushOf({ structured_metadata: true });
    expect(Object.keys(stream)).toEqual(['status', 'rule', 'action', 'actionner', 'message', 'namespace']);
    expect(value[2]).toEqual({ traceid: ACTION.trace_id, pod: 'cart-6f7d' });
  });

  it.each(HOSTILE)('carries any text: %.20s', async (text) => {
    const { stream, value } = await pushOf({}, hostileNotice(text));
    expect(value[1]).toBe(text);
    for (const label of Object.values(stream)) expect(Buffer.byteLength(label)).toBeLessThanOrEqual(2_048);
  });

  it('is sent with the credentials and the tenant of the settings', () => {
    const settings = { user: 'talon', api_key: 'k', tenant: 't', custom_headers: { 'x-a': 'b' } };
    expect(reachOf(loki, { host_port: url, ...settings })).toEqual({
      endpoint: { url, headers: { 'x-a': 'b', 'X-Scope-OrgID': 't' }, login: { user: 'talon', password: 'k' } },
    });
    expect(reachOf(loki, { url, user: 'talon' })).toEqual({ endpoint: { url, headers: {} } });
  });

  it('needs a URL', () => {
    expect(() => reachOf(loki, {})).toThrow('wrong `url` setting');
    expect(() => reachOf(loki, { host_port: 'loki:3100' })).toThrow('invalid url');
  });

  it('fails when it is not taken', async () => {
    const answers = [{ status: 400, body: 'error at least one label pair is required per stream\n' }];
    await expect(sendWith(loki, { url }, ACTION, { answers })).rejects.toThrow(
      'header missing: error at least one label pair is required per stream',
    );
  });
});
