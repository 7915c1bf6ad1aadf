import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { KeyPair } from '../cluster/certificates.ts';
import { freePort } from '../cluster/free-port.ts';
import { pythonPath } from '../components/python-peers.ts';
import { type Peer, startPeer } from './peer.ts';

/** A mail that was delivered. */
export interface Mail {
  /** As it came over the wire: RFC 5322, line ends CRLF. */
  readonly raw: string;
  /** The envelope. */
  readonly from: string;
  readonly to: readonly string[];
  /** Whether the connection was encrypted when it came. */
  readonly encrypted: boolean;
  /** Who had logged in. */
  readonly user: string | null;
}

export interface SmtpOptions {
  readonly port?: number;
  /** `starttls` refuses mails before it; `tls` encrypts from the first byte. Default none. */
  readonly security?: 'starttls' | 'tls';
  /** For TLS. */
  readonly pair?: Pick<KeyPair, 'certFile' | 'keyFile'>;
  /** Whoever sends must log in as this. */
  readonly login?: { readonly user: string; readonly password: string };
  /** A recipient that is refused. */
  readonly refuse?: string;
}

/** A mail server, aiosmtpd, which delivers into a folder. */
export interface Smtp extends Peer {
  readonly port: number;
  readonly hostPort: string;
  /** What it has received, oldest first. */
  mails(): readonly Mail[];
}

export async function startSmtp({ port, security, pair, login, refuse }: SmtpOptions = {}): Promise<Smtp> {
  const chosen = port ?? (await freePort());
  const settings = {
    port: chosen,
    security: security ?? 'none',
    ...login,
    ...(pair === undefined ? {} : { cert: pair.certFile, key: pair.keyFile }),
    ...(refuse === undefined ? {} : { refuse }),
  };
  const program = join(import.meta.dirname, 'smtp-server.py');
  const { url, folder, stop } = await startPeer({
    name: 'smtp',
    url: `smtp://127.0.0.1:${chosen}`,
    command: (own) => [pythonPath(), program, JSON.stringify({ ...settings, folder: own })],
    isReady: () => accepts(chosen),
  });
  return { url, port: chosen, hostPort: `127.0.0.1:${chosen}`, mails: () => readMails(folder), stop };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function readMails(folder: string): readonly Mail[] {
  const envelopes = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return envelopes.sort().map((name) => ({
    ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Omit<Mail, 'raw'>),
    raw: readFileSync(join(folder, name.replace(/json$/, 'eml')), 'utf8'),
  }));
}
