import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key and the certificate over it, as files and as PEM text. */
export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads it as the user's group. */
  readonly organization?: string;
  /** `DNS:` and `IP:` names; a certificate that has them is for servers too. */
  readonly altNames?: readonly string[];
}

/** A certificate authority of its own for one cluster, made by the openssl program in the given folder. */
export class CertificateAuthority {
  readonly #folder: string;
  readonly pair: KeyPair;

  constructor(folder: string) {
    this.#folder = folder;
    // The system's openssl.cnf would turn every certificate into an authority.
    writeFileSync(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
    this.pair = this.#request('ca', '/CN=talon-e2e', [
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'keyUsage=critical,keyCertSign,digitalSignature'],
    ]);
  }

  /** Issues a certificate; `name` names its files. */
  issue(name: string, { commonName, organization, altNames }: Subject): KeyPair {
    const subject = `${organization ? `/O=${organization}` : ''}/CN=${commonName}`;
    return this.#request(name, subject, [
      ...['-CA', this.pair.certFile, '-CAkey', this.pair.keyFile],
      ...['-addext', `extendedKeyUsage=clientAuth${altNames ? ',serverAuth' : ''}`],
      ...(altNames ? ['-addext', `subjectAltName=${altNames.join(',')}`] : []),
    ]);
  }

  /** An RSA key pair, with which the API server signs and checks service account tokens. */
  signingKey(name: string): { readonly publicFile: string; readonly privateFile: string } {
    const files = { publicFile: join(this.#folder, `${name}.pub`), privateFile: join(this.#folder, `${name}.key`) };
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    writeFileSync(files.publicFile, publicKey);
    writeFileSync(files.privateFile, privateKey, { mode: 0o600 });
    return files;
  }

  #request(name: string, subject: string, extra: readonly string[]): KeyPair {
    const certFile = join(this.#folder, `${name}.crt`);
    const keyFile = join(this.#folder, `${name}.key`);
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-config', join(this.#folder, 'openssl.cnf'), '-subj', subject, '-days', '2', '-noenc'],
        ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', keyFile, '-out', certFile],
        ...extra,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }
}
