import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** Where a server listens: a port, or a socket in the file system. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** Passes on whatever comes to one endpoint to another one; each end of a connection, and how it ends, too. */
export function forward(from: Endpoint, to: Endpoint): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = createConnection({ ...to, allowHalfOpen: true });
    join(incoming, outgoing);
    join(outgoing, incoming);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, () => resolve(server));
  });
}

function join(source: Socket, sink: Socket): void {
  source.pipe(sink);
  // A connection that breaks on one side breaks on the other; nobody here is to be told of it.
  source.on('error', () => sink.destroy());
  source.on('close', () => sink.destroy());
}
