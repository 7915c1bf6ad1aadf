import { TalonError } from '../../model/talon-error.ts';
import { Refused } from '../refused.ts';
import type { Settings } from '../settings/settings.ts';
import type { Log } from './server-log.ts';
import type { WiredServer } from './wire.ts';

/** Begins to listen, and says so. @throws Refused for an address that cannot be had, in the words of the program that users know */
export async function listen(server: WiredServer, settings: Settings, log: Log): Promise<void> {
  const { listen_address: address, listen_port: wanted } = settings;
  const port = await server.listen().catch((error: NodeJS.ErrnoException & { address?: string; port?: number }) => {
    if (error instanceof TalonError) throw error;
    const place = `${error.address ?? address}:${error.port ?? wanted}`;
    throw new Refused('http', `listen tcp ${place}: ${bindProblem(error)}`, { cause: error });
  });
  log({ level: 'info', message: 'http', fields: { result: `Falco Talon is up and listening on ${address}:${port}` } });
}

function bindProblem(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    EADDRINUSE: 'bind: address already in use',
    EACCES: 'bind: permission denied',
    EADDRNOTAVAIL: 'bind: cannot assign requested address',
  };
  return known[error.code ?? ''] ?? error.message;
}
