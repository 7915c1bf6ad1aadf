import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RecordingApi, WholeAnswer } from '../recording-api.ts';

/** What a client wants to have run. */
export interface ExecCall {
  readonly path: string;
  readonly container: string;
  readonly program: readonly string[];
  /** Whether it will write an input. */
  readonly input: boolean;
}

/** The side of the API server of one exec. */
export class ExecSide {
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  /** Passes the input on as it comes. Its end is that of the connection. */
  feed(stdin: Writable): void {
    stdin.on('error', () => undefined);
    this.socket.on('message', (frame: Buffer) => frame[0] === 0 && stdin.write(frame.subarray(1)));
    this.socket.on('close', () => stdin.end());
  }

  /** Resolves when the frame is written. */
  stdout(bytes: Uint8Array | string): Promise<void> {
    return this.#send(1, bytes);
  }

  stderr(bytes: Uint8Array | string): Promise<void> {
    return this.#send(2, bytes);
  }

  /** Says how the program ended, and closes the connection. */
  async exit(code: number): Promise<void> {
    const causes = [{ reason: 'ExitCode', message: String(code) }];
    const message = `command terminated with non-zero exit code: exit status ${code}`;
    const failure = { status: 'Failure', reason: 'NonZeroExitCode', message, details: { causes } };
    await this.status(code === 0 ? { status: 'Success' } : failure);
  }

  /** Says that it could not be run, or no longer. */
  async fail(message: string): Promise<void> {
    await this.status({ status: 'Failure', reason: 'InternalError', message, code: 500 });
  }

  async status(status: object): Promise<void> {
    await this.#send(3, JSON.stringify({ metadata: {}, ...status }));
    this.socket.close();
  }

  #send(channel: number, bytes: Uint8Array | string): Promise<void> {
    const frame = Buffer.concat([Buffer.of(channel), Buffer.from(bytes as string)]);
    return new Promise((resolve) => this.socket.send(frame, () => resolve()));
  }
}

export type ExecRun = (side: ExecSide, call: ExecCall) => unknown;

/** For tests: lets the API answer execs until its next reset. Returns the calls. */
export function serveExec(api: RecordingApi, run: ExecRun, protocol = 'v4.channel.k8s.io'): readonly ExecCall[] {
  const calls: ExecCall[] = [];
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  api.upgrade = (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (accepted) => {
      const call = callOf(request);
      calls.push(call);
      void run(new ExecSide(accepted), call);
    });
  };
  return calls;
}

/** For tests: refuses execs. */
export function refuseExec(api: RecordingApi, { status, body, headers = {} }: WholeAnswer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  api.upgrade = (_, socket) =>
    void socket.end(
      `HTTP/1.1 ${status} x\r\ncontent-length: ${Buffer.byteLength(text)}\r\n${lines.join('')}connection: close\r\n\r\n${text}`,
    );
}

/** Runs the program on this machine instead of in a container. */
export async function runHere(side: ExecSide, { program: [file = '', ...given], input }: ExecCall): Promise<void> {
  const child = spawn(file, given, { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  if (child.stdin) side.feed(child.stdin);
  const forward = async (stream: AsyncIterable<Buffer>, send: (bytes: Buffer) => Promise<void>) => {
    for await (const chunk of stream) await send(chunk);
  };
  const started = once(child, 'spawn').then(
    () => true,
    () => false,
  );
  if (!(await started)) {
    await side.fail(`OCI runtime exec failed: exec: "${file}": executable file not found in $PATH`);
    return;
  }
  const ended = once(child, 'close');
  await Promise.all([
    forward(child.stdout as AsyncIterable<Buffer>, (bytes) => side.stdout(bytes)),
    forward(child.stderr as AsyncIterable<Buffer>, (bytes) => side.stderr(bytes)),
  ]);
  const [code] = (await ended) as [number | null];
  await side.exit(code ?? 137);
}

function callOf({ url = '' }: IncomingMessage): ExecCall {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  return {
    path: pathname,
    container: searchParams.get('container') ?? '',
    program: searchParams.getAll('command'),
    input: searchParams.get('stdin') === 'true',
  };
}
