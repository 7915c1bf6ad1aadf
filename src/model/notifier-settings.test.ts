import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodeParameters } from './decode-parameters.ts';
import {
  requiredAddresses,
  requiredHostPort,
  requiredUrl,
  settingFlag,
  settingHeaders,
  settingInteger,
  settingText,
  settingWord,
} from './notifier-settings.ts';
import type { ParameterMap } from './rule.ts';

const settings = z.object({
  url: requiredUrl('an address', 'wrong `url` setting', { secret: true, aliases: ['host_port'] }),
  to: requiredAddresses('a receiver', { missing: 'no `to` setting', wrong: 'wrong `to` setting' }),
  server: requiredHostPort('a server', 'wrong `server` setting').default('mail.example.org:25'),
  footer: settingText('a text', 'the footer'),
  format: settingWord('a layout', ['long', 'short'], 'long'),
  tls: settingFlag('a switch', false),
  shards: settingInteger('a number', 3, 1, 'wrong `shards` setting'),
  custom_headers: settingHeaders('headers'),
});
const complete = { url: 'https://x.example/hook', to: 'soc@x.example' };

function read(given: ParameterMap) {
  const decoded = decodeParameters(settings, { ...complete, ...given });
  return decoded.ok ? decoded.value : decoded.problems.map(({ message }) => message);
}

describe('settings of notifiers', () => {
  it('have defaults', () =>
    expect(read({})).toEqual({
      ...complete,
      server: 'mail.example.org:25',
      footer: 'the footer',
      format: 'long',
      tls: false,
      shards: 3,
      custom_headers: {},
    }));

  it.each<[ParameterMap, object]>([
    [{ footer: '' }, { footer: '' }],
    [{ footer: 5 }, { footer: '5' }],
    [{ footer: null }, { footer: 'the footer' }],
    [{ format: 'short' }, { format: 'short' }],
    [{ format: 'Short' }, { format: 'long' }],
    [{ tls: 'true' }, { tls: true }],
    [{ tls: 1 }, { tls: true }],
    [{ tls: 'yes' }, { tls: false }],
    [{ shards: '5' }, { shards: 5 }],
    [{ shards: 'many' }, { shards: 3 }],
    [{ custom_headers: { a: 1, b: 'x' } }, { custom_headers: { a: '1', b: 'x' } }],
  ])('are lenient: %j', (given, value) => expect(read(given)).toMatchObject(value));

  it('have the spellings of older documentation', () => {
    const { url, ...others } = complete;
    expect(decodeParameters(settings, { ...others, Host_Port: url })).toMatchObject({ ok: true, value: { url } });
  });

  it.each<[ParameterMap, string]>([
    [{ url: '' }, 'wrong `url` setting'],
    [{ url: 5 }, 'wrong `url` setting'],
    [{ url: 'x.example' }, 'invalid url'],
    [{ url: 'ftp://x.example' }, 'invalid url'],
    [{ url: 'https://' }, 'invalid url'],
    [{ url: 'https://x.example/a b' }, 'invalid url'],
    ...['http://[::', 'http://', 'http://a:99999', 'http:///a', 'http://a%00b', 'http://1.2.3.4.5', 'http://u:p@'].map(
      (url): [ParameterMap, string] => [{ url }, 'invalid url'],
    ),
    ...['a', 'a:', 'a:99999', 'a:0', '[::', '[::]', '[:::]:25', 'a b:25', '1.2.3.4.5:25', 'u@a:25', 'http://a:25'].map(
      (server): [ParameterMap, string] => [{ server }, 'wrong `server` setting'],
    ),
    [{ to: 7 }, 'wrong `to` setting'],
    [{ to: '' }, 'no `to` setting'],
    [{ to: null }, 'no `to` setting'],
    ...[',', 'soc', '@example.org', 'soc@', 'soc@example.org\r\nBcc: x@y'].map((to): [ParameterMap, string] => [
      { to },
      'wrong `to` setting',
    ]),
    [{ custom_headers: { 'X A': 'b' } }, 'a header has a name that cannot be one'],
    [{ custom_headers: { Host: 'b' } }, `the header 'Host' cannot be set`],
    [
      { custom_headers: { 'X-A': 'my-secret\n' } },
      `the header 'X-A' has a line break or another character that headers cannot have`,
    ],
    [{ shards: 0 }, 'wrong `shards` setting'],
  ])('are refused: %j', (given, message) => expect(read(given)).toEqual([message]));

  it('are not shown in messages', () =>
    expect(String(read({ url: { token: 'my-secret' }, custom_headers: 'Bearer my-secret' }))).not.toContain(
      'my-secret',
    ));
});
