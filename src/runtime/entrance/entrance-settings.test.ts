import { describe, expect, it } from 'vitest';
import { type EntranceValues, entranceSettings, entranceWarnings } from './entrance-settings.ts';
import { OPEN } from './test-server.ts';

const OFF: EntranceValues = {
  listen_address: '0.0.0.0',
  tls: { cert_file: '', key_file: '', client_ca_file: '' },
  auth: { bearer_tokens: [], basic_users: [], secret_paths: [] },
  metrics_listen_address: '',
  metrics_listen_port: 0,
  rate_limit_per_second: 0,
};

describe('entranceSettings', () => {
  it('has everything off by default', () => {
    expect(entranceSettings(OFF)).toEqual({ ...OPEN, tls: undefined, ownPort: undefined });
  });

  it('takes over what is set', () => {
    const auth = {
      bearer_tokens: ['0123456789abcdef', '~!"$%&/()=?{[]}+'],
      basic_users: ['falco:x', 'größe:a b:c'],
      secret_paths: ['/0123456789abcde', "/a%20b/c-d_e.f~!$&'()*+,;=:@/"],
    };
    const tls = { cert_file: 'a', key_file: 'b', client_ca_file: 'c' };
    expect(entranceSettings({ ...OFF, auth, tls, metrics_listen_port: 9_090, rate_limit_per_second: 7 })).toEqual({
      tls: { certFile: 'a', keyFile: 'b', clientCaFile: 'c' },
      bearerTokens: auth.bearer_tokens,
      basicUsers: auth.basic_users,
      secretPaths: auth.secret_paths,
      ratePerSecond: 7,
      ownPort: { host: '0.0.0.0', port: 9_090 },
    });
    expect(
      entranceSettings({ ...OFF, metrics_listen_address: '127.0.0.1', metrics_listen_port: 9_090 }).ownPort,
    ).toEqual({ host: '127.0.0.1', port: 9_090 });
  });

  it.each([
    ['auth.bearer_tokens', 'bearer_tokens', 'short-secret'],
    ['auth.bearer_tokens', 'bearer_tokens', 'a secret with spaces'],
    ['auth.bearer_tokens', 'bearer_tokens', 'secret-größe-größe-größe'],
    ['auth.bearer_tokens', 'bearer_tokens', 'secret-'.repeat(1_000)],
    ['auth.basic_users', 'basic_users', 'secret'],
    ['auth.basic_users', 'basic_users', 'secret:'],
    ['auth.basic_users', 'basic_users', ':secret'],
    ['auth.basic_users', 'basic_users', 'user:secret\nsecret'],
    ['auth.secret_paths', 'secret_paths', '/secret'],
    ['auth.secret_paths', 'secret_paths', 'secret-0123456789abcdef'],
    ['auth.secret_paths', 'secret_paths', '/secret-0123456789?abcdef'],
    ['auth.secret_paths', 'secret_paths', '/secret 0123456789abcdef'],
    ['auth.secret_paths', 'secret_paths', '/secret-0123456789#abcdef'],
  ])('refuses a bad value of %s without showing it', (setting, key, value) => {
    const good = { bearer_tokens: '0123456789abcdef', basic_users: 'a:b', secret_paths: '/0123456789abcdef' };
    const auth = { ...OFF.auth, [key]: [good[key as keyof typeof good], value] };
    expect(() => entranceSettings({ ...OFF, auth })).toThrow(`'${setting}[1]' is not usable: it must be`);
    expect(() => entranceSettings({ ...OFF, auth })).not.toThrow(/secret(?!_paths)/);
  });

  it.each([
    [{ cert_file: 'a' }, 'tls.key_file'],
    [{ key_file: 'a' }, 'tls.cert_file'],
    [{ client_ca_file: 'a' }, 'tls.cert_file'],
    [{ cert_file: 'a', client_ca_file: 'a' }, 'tls.key_file'],
  ])('refuses half a TLS server: %j', (tls, missing) => {
    expect(() => entranceSettings({ ...OFF, tls: { ...OFF.tls, ...tls } })).toThrow(`'${missing}' is not set`);
  });
});

describe('entranceWarnings', () => {
  const token = { ...OPEN, bearerTokens: ['0123456789abcdef'] };
  const tls = { certFile: 'a', keyFile: 'b' };

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('has none on %s', (address) => {
    expect(entranceWarnings(address, OPEN)).toEqual([]);
    expect(entranceWarnings(address, token)).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.1.2.3', 'talon.example', '127.0.0.1.example'])(
    'says on %s that anyone gets in',
    (address) => {
      expect(entranceWarnings(address, OPEN)).toEqual([expect.stringContaining(`whoever reaches ${address} can send`)]);
      expect(entranceWarnings(address, { ...OPEN, tls })).toHaveLength(1);
      expect(entranceWarnings(address, { ...OPEN, tls: { ...tls, clientCaFile: 'c' } })).toEqual([]);
    },
  );

  it('says that secrets travel in the open', () => {
    expect(entranceWarnings('0.0.0.0', token)).toEqual([expect.stringContaining('are sent unencrypted')]);
    expect(entranceWarnings('0.0.0.0', { ...token, tls })).toEqual([]);
  });
});
