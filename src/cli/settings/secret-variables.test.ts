import { expect, it } from 'vitest';
import { secretVariable, secretVariables } from './secret-variables.ts';

const ENV = {
  TALON_SECRET_TICKETS: 'ticket-token',
  AWS_SECRET_ACCESS_KEY: 'cloud-key',
  AWS_REGION: 'eu-west-1',
  HTTPS_PROXY: 'http://user:proxy%20word@proxy.example.org:3128',
  HOME: '/root',
};

it('gives rules the variables that are meant for them, and no others', () => {
  expect(secretVariable('TALON_SECRET_TICKETS', ENV)).toBe('ticket-token');
  expect(secretVariable('AWS_SECRET_ACCESS_KEY', ENV)).toBeUndefined();
  expect(secretVariable('TALON_SECRET_NONE', ENV)).toBeUndefined();
});

it('knows what of the environment must not be written', () => {
  expect(secretVariables(ENV)).toEqual([
    ...['ticket-token', 'cloud-key', 'proxy%20word', 'proxy word', 'user:proxy word', '\0user\0proxy word'],
  ]);
  expect(secretVariables({ TALON_SECRET_BASIC: `Basic ${btoa('me:my-word')}` })).toEqual([
    ...[`Basic ${btoa('me:my-word')}`, btoa('me:my-word'), 'me:my-word', 'my-word'],
  ]);
  expect(secretVariables({ HTTPS_PROXY: 'user:word@proxy:3128' })).toContain('user:word');
  expect(secretVariables({ HTTP_PROXY: 'not a url', TALON_SECRET_EMPTY: '' })).toEqual([]);
  expect(secretVariables({ http_proxy: 'http://u:50%@proxy.example.org' })).toEqual(['50%', 'u:50%', '\0u\x0050%']);
});
