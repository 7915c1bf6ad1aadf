import { constants, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { TalonError } from '../../model/talon-error.ts';
import type { TlsFiles } from './entrance-settings.ts';

/**
 * Reads what a TLS server shows and asks for, and makes sure that it fits together.
 *
 * @throws TalonError('config') naming the file and what is wrong with it
 */
export async function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<SecureContextOptions> {
  const cert = await readPem('tls.cert_file', certFile);
  const key = await readPem('tls.key_file', keyFile);
  const ca = clientCaFile === undefined ? undefined : await readPem('tls.client_ca_file', clientCaFile);
  attempt(`'tls.cert_file' (${certFile})`, () => new X509Certificate(cert));
  // Without a certificate in it, the file would be taken as "no authority", and nobody would know why all are refused.
  if (ca) attempt(`'tls.client_ca_file' (${clientCaFile})`, () => new X509Certificate(ca));
  const options = {
    cert,
    key,
    ...(ca && { ca }),
    minVersion: 'TLSv1.2',
    // A new handshake on an open connection is of use to attackers alone.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  } satisfies SecureContextOptions;
  attempt(`'tls.cert_file' (${certFile}) and 'tls.key_file' (${keyFile})`, () => createSecureContext(options));
  return options;
}

async function readPem(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TalonError('config', `'${setting}': cannot read ${file} (${code ?? 'error'})`, { cause: error });
  }
}

function attempt(what: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw new TalonError('config', `${what} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
