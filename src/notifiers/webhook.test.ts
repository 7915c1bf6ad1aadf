import { describe, expect, it } from 'vitest';
import { sampleNotice } from '../model/sample-notice.ts';
import {
  ACTION,
  bodyOf,
  HOSTILE,
  hostileNotice,
  OUTPUT,
  reachOf,
  sendWith,
} from '../runtime/plugins/notifier-fixture.ts';
import { webhook } from './webhook.ts';

const url = 'https://siem.example.org/talon?token=secret';

describe('the webhook', () => {
  it('sends the record of an action', async () => {
    expect(await sendWith(webhook, { url })).toEqual([
      [
        'http.send',
        {
          method: 'POST',
          headers: { 'User-Agent': 'falco-talon', 'Content-Type': 'application/json; charset=utf-8' },
          body:
            '{"objects":{"Namespace":"shop","Pod":"cart-6f7d"},"trace_id":"0af7651916cd43dd8448eb211c80319c","rule":"Label on shell",' +
            '"event":"A shell was spawned in a container (user=root shell=bash)","message":"action",' +
            `"output":"the pod 'cart-6f7d' in the namespace 'shop' has been labeled",` +
            '"actionner":"kubernetes:label","action":"Mark pod","status":"success"}\n',
        },
        false,
      ],
    ]);
  });

  it('sends the record of an output', async () => {
    expect(bodyOf(await sendWith(webhook, { url }, OUTPUT))).toBe(
      '{"objects":{"Bucket":"forensics","File":"tcpdump.pcap","Key":"2026-03-01T10-00-07Z_shop_cart-6f7d_tcpdump.pcap","Prefix":"pcap/","Region":"eu-west-1"},' +
        '"trace_id":"0af7651916cd43dd8448eb211c80319c","rule":"Capture on shell","message":"output",' +
        `"output":"the file 'tcpdump.pcap' has been uploaded as the key 'pcap/2026-03-01T10-00-07Z_shop_cart-6f7d_tcpdump.pcap' to the bucket 'forensics'",` +
        '"category":"aws","output_target":"aws:s3","actionner":"kubernetes:tcpdump","action":"Capture","status":"success"}\n',
    );
  });

  it.each([
    ['failure', 'error'],
    ['ignored', 'result'],
    ['denied', 'result'],
    ['parked', 'result'],
  ] as const)('says %s, and why', async (status, key) => {
    const body = JSON.parse(bodyOf(await sendWith(webhook, { url }, sampleNotice('action', status, ACTION.time))));
    expect(body).toMatchObject({ status, [key]: expect.stringMatching(/./) });
    expect(body).not.toHaveProperty('time');
  });

  it('escapes what HTML could take for its own', async () => {
    const body = bodyOf(await sendWith(webhook, { url }, { ...ACTION, rule: '<a>&\u2028' }));
    expect(body).toContain(String.raw`"rule":"\u003ca\u003e\u0026\u2028"`);
  });

  it.each(HOSTILE)('carries any text as it is: %.20s', async (text) => {
    const body = bodyOf(await sendWith(webhook, { url }, hostileNotice(text)));
    expect(body.split('\n')).toHaveLength(2);
    expect(JSON.parse(body)).toMatchObject({ rule: text, event: text, error: text, objects: { Pod: text } });
  });

  it('takes method, name and type from its settings; a GET has no body', async () => {
    const settings = { url, http_method: 'get', user_agent: 'me', content_type: 'text/plain' };
    const headers = { 'User-Agent': 'me', 'Content-Type': 'text/plain' };
    expect(await sendWith(webhook, settings)).toEqual([
      ['http.send', { method: 'GET', headers, body: undefined }, false],
    ]);
    expect(() => reachOf(webhook, { url, http_method: 'GET / HTTP/1.1\r\n' })).toThrow('wrong `http_method` setting');
  });

  it('leads to its URL, with the headers that nobody else sees', () => {
    expect(reachOf(webhook, { url, custom_headers: { authorization: 'Bearer x', n: 1 } })).toEqual({
      endpoint: { url, headers: { authorization: 'Bearer x', n: '1' } },
    });
  });

  it.each([
    [{}, 'wrong `url` setting'],
    [{ url: '' }, 'wrong `url` setting'],
    [{ url: 'siem.example.org' }, 'invalid url'],
    [{ url: 'ftp://siem.example.org' }, 'invalid url'],
  ])('refuses the settings %j', (settings, problem) => {
    expect(() => reachOf(webhook, settings)).toThrow(problem);
  });

  it.each([200, 201, 202, 204])('is content with %i', async (status) => {
    expect(await sendWith(webhook, { url }, ACTION, { answers: [{ status }] })).toHaveLength(1);
  });

  it.each([
    [400, 'refused', 'header missing: no x-key'],
    [401, 'refused', 'authentication error'],
    [403, 'refused', 'access denied'],
    [404, 'refused', 'resource not found'],
    [422, 'refused', 'wrong request'],
    [429, 'busy', 'exceeding post rate limit'],
    [302, 'refused', '302 Found'],
    [203, 'refused', '203 Non-Authoritative Information'],
    [500, 'busy', '500 Internal Server Error'],
    [503, 'busy', '503 Service Unavailable'],
  ])('fails for %i: %s, %s', async (status, code, message) => {
    const answer = { status, statusLine: message, body: ' no x-key\n', retryAfterMs: 7 };
    const failed = sendWith(webhook, { url }, ACTION, { answers: [answer] });
    await expect(failed).rejects.toMatchObject({ name: 'DoorError', code, message, retryAfterMs: 7 });
  });
});
