import { TalonError } from '../../model/talon-error.ts';

/** The files that a TLS server needs, all PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities; a sender without a certificate of one of them gets no connection. */
  readonly clientCaFile?: string | undefined;
}

/**
 * Who gets in. The kinds are layers, and a request must pass each that is set: the connection (client certificate), the path
 * (one of the secret ones), the credentials (one of the tokens or one of the users). Health never asks for any but the first.
 */
export interface EntranceSettings {
  /** Undefined: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  readonly bearerTokens: readonly string[];
  /** `user:password` */
  readonly basicUsers: readonly string[];
  readonly secretPaths: readonly string[];
  /** Requests per second and remote address; 0: no limit. */
  readonly ratePerSecond: number;
  /** Where metrics and health are, in plain HTTP and open, if not beside the alerts. */
  readonly ownPort?: { readonly host: string; readonly port: number } | undefined;
}

/** The settings of the entrance by the keys of the configuration file. */
export interface EntranceValues {
  readonly listen_address: string;
  readonly tls: { readonly cert_file: string; readonly key_file: string; readonly client_ca_file: string };
  readonly auth: {
    readonly bearer_tokens: readonly string[];
    readonly basic_users: readonly string[];
    readonly secret_paths: readonly string[];
  };
  readonly metrics_listen_address: string;
  readonly metrics_listen_port: number;
  readonly rate_limit_per_second: number;
}

/** Longest secret, in characters. What is longer is refused unread, so that nobody makes the server digest for nothing. */
export const LONGEST_SECRET = 4_096;

/** A path that is written otherwise by some senders would never be met, and what is short can be guessed. */
const SECRET_PATH = /^\/[\w.~!$&'()*+,;=:@%/-]{15,}$/;
const BEARER_TOKEN = /^[\x21-\x7e]{16,}$/;
const BASIC_USER = /^[^:\p{Cc}]+:\P{Cc}+$/u;

/**
 * The entrance as the configuration wants it.
 *
 * @throws TalonError('config') naming the setting, never its value
 */
export function entranceSettings(values: EntranceValues): EntranceSettings {
  const { auth } = values;
  check('auth.bearer_tokens', auth.bearer_tokens, BEARER_TOKEN, 'at least 16 characters, without spaces');
  check('auth.basic_users', auth.basic_users, BASIC_USER, '`user:password`');
  check('auth.secret_paths', auth.secret_paths, SECRET_PATH, 'a path of at least 16 characters, in the form of a URL');
  return {
    tls: tlsFiles(values.tls),
    bearerTokens: auth.bearer_tokens,
    basicUsers: auth.basic_users,
    secretPaths: auth.secret_paths,
    ratePerSecond: values.rate_limit_per_second,
    ownPort: values.metrics_listen_port
      ? { host: values.metrics_listen_address || values.listen_address, port: values.metrics_listen_port }
      : undefined,
  };
}

function check(setting: string, secrets: readonly string[], form: RegExp, wanted: string): void {
  const position = secrets.findIndex((secret) => secret.length > LONGEST_SECRET || !form.test(secret));
  if (position >= 0) throw new TalonError('config', `'${setting}[${position}]' is not usable: it must be ${wanted}`);
}

function tlsFiles({ cert_file, key_file, client_ca_file }: EntranceValues['tls']): TlsFiles | undefined {
  if (cert_file && key_file) {
    return { certFile: cert_file, keyFile: key_file, clientCaFile: client_ca_file || undefined };
  }
  if (!cert_file && !key_file && !client_ca_file) return undefined;
  const missing = cert_file ? 'tls.key_file' : 'tls.cert_file';
  throw new TalonError('config', `'${missing}' is not set: TLS needs both a certificate and its key`);
}

/** What whoever runs the server should know about who gets in, a sentence each. */
export function entranceWarnings(address: string, settings: EntranceSettings): readonly string[] {
  if (isLoopback(address)) return [];
  const { tls, bearerTokens, basicUsers, secretPaths } = settings;
  const secrets = bearerTokens.length + basicUsers.length + secretPaths.length;
  if (secrets === 0 && !tls?.clientCaFile) {
    return [
      `whoever reaches ${address} can send events and so start actions: set auth.* or tls.client_ca_file, or listen on a loopback address`,
    ];
  }
  return secrets > 0 && !tls ? ['the secrets of auth.* are sent unencrypted: set tls.cert_file and tls.key_file'] : [];
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}
