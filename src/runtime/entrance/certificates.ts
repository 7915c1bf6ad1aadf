import type { SecureContextOptions, Server } from 'node:tls';
import type { Health } from '../health.ts';
import type { TlsFiles } from './entrance-settings.ts';
import { readTlsFiles } from './tls-files.ts';

/** The part of the server's health that certificates are. */
const PART = 'tls';

/** The certificates of a server, taken up anew when their files change: they are short-lived, and the server is not. */
export class Certificates {
  readonly #files: TlsFiles;
  readonly #server: Pick<Server, 'setSecureContext'>;
  readonly #health: Pick<Health, 'degrade'>;
  #inUse = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(files: TlsFiles, server: Pick<Server, 'setSecureContext'>, health: Pick<Health, 'degrade'>) {
    this.#files = files;
    this.#server = server;
    this.#health = health;
  }

  /** Takes up what the files have. @throws TalonError('config') */
  async load(): Promise<void> {
    const options = await readTlsFiles(this.#files);
    const inUse = contentOf(options);
    if (inUse === this.#inUse) return;
    this.#server.setSecureContext(options);
    this.#inUse = inUse;
  }

  /**
   * Takes up what the files have now. What cannot be used, such as a certificate whose key is not written yet, leaves those
   * in use and is told. Open connections keep theirs.
   */
  async renew(): Promise<void> {
    try {
      await this.load();
      this.#health.degrade(PART, '');
    } catch (error) {
      this.#health.degrade(PART, (error as Error).message);
    }
  }

  /** Looks at the files now and then, every so many milliseconds, which sees changes on all kinds of file systems. */
  watch(interval: number): void {
    this.#timer = setInterval(() => void this.renew(), interval).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

function contentOf({ cert, key, ca }: SecureContextOptions): string {
  return [cert, key, ca].map(String).join('\n');
}
