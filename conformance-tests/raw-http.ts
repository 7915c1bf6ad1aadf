import { connect } from 'node:net';

/** A request to the last byte. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface RawResponse {
  readonly status: number;
  readonly body: string;
  readonly content_type: string;
}

/** Sends a request as it is: clients would correct methods, paths and headers. The connection is closed afterwards. */
export function exchange(port: number, { method, path, headers, body }: RawRequest): Promise<RawResponse> {
  const head = [...headers, ['Connection', 'close'] as const].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parseResponse(Buffer.concat(chunks).toString())));
    socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
  });
}

function parseResponse(text: string): RawResponse {
  const final = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const split = final.indexOf('\r\n\r\n');
  const [status = '', ...headers] = final.slice(0, split).split('\r\n');
  const type = headers.find((header) => /^content-type:/i.test(header));
  return {
    status: Number(status.split(' ')[1]),
    body: final.slice(split + 4),
    content_type: type?.slice(type.indexOf(':') + 1).trim() ?? '',
  };
}
