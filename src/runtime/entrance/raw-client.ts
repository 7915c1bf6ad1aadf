import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

export interface Exchange {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends over TLS, with these options. */
  readonly tls?: RequestOptions & { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** One request and its answer, by Node's client, on a connection of its own. */
export function exchange(port: number, { method = 'POST', path = '/', body, headers = {}, tls }: Exchange) {
  return new Promise<Reply>((resolve, reject) => {
    const length =
      body !== undefined && !('transfer-encoding' in headers) ? { 'content-length': Buffer.byteLength(body) } : {};
    const options = { port, host: '127.0.0.1', method, headers: { ...length, ...headers }, agent: false, ...tls };
    const request = (tls ? httpsRequest : httpRequest)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    // Not through the options: Node refuses paths with spaces there.
    request.path = path.replaceAll(' ', '%20');
    request.on('error', reject);
    request.end(body);
  });
}

/** A connection on which a test writes bytes as it likes. */
export class RawConnection {
  readonly socket: Socket;
  /** All that came back so far. */
  answer = '';
  /** Resolves when the connection is gone, however that came. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.answer += chunk.toString('latin1');
    });
    // Being reset is one way to be refused.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      // The side of the server may close first without closing ours.
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
      socket.on('end', () => socket.end());
    });
  }

  write(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** Closes our side. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** The status codes of the answers so far, in order. */
  get statuses(): readonly number[] {
    return [...this.answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  }
}

/** Sends bytes, closes our side, and waits for all that comes back. */
export async function raw(port: number, text: string | Buffer): Promise<string> {
  const connection = await RawConnection.open(port);
  connection.write(text).end();
  await connection.closed;
  return connection.answer;
}
