import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodeParameters } from './decode-parameters.ts';
import {
  requiredSetting,
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
  to: requiredSetting('a receiver', 'wrong `to` setting'),
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
    [{ to: 7 }, { to: '7' }],
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
    [{ to: '' }, 'wrong `to` setting'],
    [{ to: null }, 'wrong `to` setting'],
    [{ shards: 0 }, 'wrong `shards` setting'],
  ])('are refused: %j', (given, message) => expect(read(given)).toEqual([message]));

  it('are not shown in messages', () =>
    expect(String(read({ url: { token: 'my-secret' }, custom_headers: 'Bearer my-secret' }))).not.toContain(
      'my-secret',
    ));
});
