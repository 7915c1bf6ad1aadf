import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import type { DoorError } from '../../../model/door-error.ts';
import { refusalText } from '../bounded-body.ts';
import { BoundedText } from '../bounded-text.ts';
import type { KubeClient } from '../kube-client.ts';
import { KubeRefusal } from '../kube-refusal.ts';
import { noAnswer } from '../kube-transport.ts';
import { execOptions, execUrl, type ProgramToRun } from './exec-request.ts';
import { cutOff, type ProgramEnd, readProgramEnd } from './program-end.ts';

/** A program that runs. Whoever destroys `stdout` leaves it alone with its closed streams. */
export interface RunningProgram {
  /** Flows only as fast as it is read. Ends when the program has ended; an error where that is not known. */
  readonly stdout: Readable;
  readonly stderr: BoundedText;
  /** @throws DoorError where nobody knows how it ended */
  readonly ended: Promise<ProgramEnd>;
}

/** Milliseconds. */
export interface ExecTimes {
  /** Until the API server has to agree to the exec. */
  readonly answer: number;
  /** Between two questions whether the other side is still there. */
  readonly ping: number;
  /** For which such a question may have no answer until the connection counts as dead. */
  readonly silence: number;
  /** For the other side to close the connection when the program has ended. */
  readonly close: number;
}
export const EXEC_TIMES: ExecTimes = { answer: 15_000, ping: 10_000, silence: 30_000, close: 2_000 };

/**
 * The API server passes it on to the node unread, so that the last frame is the word of the node itself, and is missing where the
 * node was lost. The next version, which has a frame for the end of an input, it translates, and calls a program successful
 * that was lost with its node.
 */
const PROTOCOL = 'v4.channel.k8s.io';
/** The first byte of each frame. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3 } as const;
const CHUNK = 32 * 1024;
const LARGEST_FRAME = 16 * 2 ** 20;
/** Bytes that wait to be read before the other side has to. */
const READ_AHEAD = 2 ** 20;

/**
 * Starts a program in a container, over a WebSocket. The program does not end with the connection: the API has no way to end one.
 *
 * @throws DoorError as the transport does for what the API server refuses
 */
export async function startProgram(
  client: KubeClient,
  given: ProgramToRun,
  signal: AbortSignal,
  times: ExecTimes = EXEC_TIMES,
): Promise<RunningProgram> {
  const { stdin } = given;
  const options = await execOptions(client.config);
  if (signal.aborted) return noAnswer(signal.reason);
  const socket = new WebSocket(execUrl(client.config, given), PROTOCOL, {
    ...options,
    handshakeTimeout: times.answer,
    perMessageDeflate: false,
    maxPayload: LARGEST_FRAME,
  });
  // Before it is open: nothing that comes with the answer is to be missed.
  const program = new RemoteProgram(socket, times, signal);
  await opened(socket, client, signal);
  if (stdin !== '') program.feed(stdin);
  return program;
}

/** Bytes of what a program writes to stderr that are kept. */
const MOST_ERRORS = 16 * 1024;

class RemoteProgram implements RunningProgram {
  readonly stdout: Readable;
  readonly stderr = new BoundedText(MOST_ERRORS);
  readonly ended: Promise<ProgramEnd>;
  readonly #socket: WebSocket;
  readonly #times: ExecTimes;
  #end: ProgramEnd | undefined;
  #spoke = false;
  /** Pings in a row. Time does not count: a process that has none hears nothing either. */
  #unanswered = 0;
  #settle!: { resolve: (end: ProgramEnd) => void; reject: (error: unknown) => void };

  constructor(socket: WebSocket, times: ExecTimes, signal: AbortSignal) {
    this.#socket = socket;
    this.#times = times;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ended.catch(() => undefined);
    this.stdout = new Readable({
      highWaterMark: READ_AHEAD,
      read: () => this.#goOn(),
      destroy: (error, done) => {
        socket.terminate();
        done(error);
      },
    });
    // Whoever reads it learns of it; where nobody does, `ended` says it.
    this.stdout.on('error', () => undefined);
    const giveUp = () => this.#fail(lost(signal.reason));
    signal.addEventListener('abort', giveUp, { once: true });
    const alive = setInterval(() => this.#lookWhetherAlive(), times.ping);
    socket.on('message', (data: Buffer) => this.#take(data));
    socket.on('pong', () => this.#hear());
    socket.on('error', ({ message }) => this.#fail(cutOff(message)));
    socket.on('close', () => {
      clearInterval(alive);
      signal.removeEventListener('abort', giveUp);
      this.#finish();
    });
  }

  /** Writes its whole input. */
  feed(stdin: string): void {
    const bytes = Buffer.from(stdin);
    for (let start = 0; start < bytes.length; start += CHUNK) {
      const frame = Buffer.concat([Buffer.of(CHANNEL.stdin), bytes.subarray(start, start + CHUNK)]);
      // It may have ended without reading all of it: then there is nobody to tell.
      this.#socket.send(frame, () => undefined);
    }
  }

  #take(data: Buffer): void {
    this.#hear();
    const bytes = data.subarray(1);
    if (data[0] === CHANNEL.status) this.#takeStatus(bytes);
    else if (bytes.length > 0) this.#takeOutput(data[0], bytes);
  }

  #takeOutput(channel: number | undefined, bytes: Buffer): void {
    if (channel === CHANNEL.stderr) this.stderr.add(bytes);
    else if (channel !== CHANNEL.stdout) return;
    else if (!this.stdout.destroyed && !this.stdout.push(bytes)) this.#socket.pause();
    this.#spoke = true;
  }

  #takeStatus(bytes: Buffer): void {
    try {
      this.#end = readProgramEnd(bytes.toString(), this.#spoke);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), this.#times.close).unref();
  }

  #goOn(): void {
    if (!this.#socket.isPaused) return;
    this.#hear();
    this.#socket.resume();
  }

  #hear(): void {
    this.#unanswered = 0;
  }

  #lookWhetherAlive(): void {
    // Answers do not come through either while it waits for whoever reads.
    if (this.#socket.isPaused || this.#socket.readyState !== WebSocket.OPEN) return;
    const { ping, silence } = this.#times;
    if (this.#unanswered * ping >= silence) {
      this.#fail(cutOff(`silence for ${silence / 1000} s`));
      return;
    }
    this.#unanswered++;
    this.#socket.ping();
  }

  #finish(): void {
    const end = this.#end;
    if (!end) {
      this.#fail(cutOff('the connection ended before its end was told'));
      return;
    }
    this.stdout.push(null);
    this.#settle.resolve(end);
  }

  #fail(error: unknown): void {
    this.#settle.reject(error);
    this.stdout.destroy(error as Error);
  }
}

/** Resolves when the API server has agreed. @throws DoorError */
function opened(socket: WebSocket, { presence }: KubeClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let answered = false;
    socket.once('open', resolve);
    socket.once('error', (error) => {
      if (answered) return;
      if (!signal.aborted) presence.lost();
      reject(lost(signal.aborted ? signal.reason : error));
    });
    socket.once('unexpected-response', (_, response) => {
      answered = true;
      refusalOf(response)
        .then((refusal) => presence.judge(refusal), lost)
        .then(reject)
        .finally(() => socket.terminate());
    });
  });
}

async function refusalOf(response: IncomingMessage): Promise<KubeRefusal> {
  const { statusCode = 500, headers } = response;
  return new KubeRefusal(statusCode, await refusalText(response), headers['retry-after']);
}

function lost(reason: unknown): DoorError {
  try {
    return noAnswer(reason);
  } catch (error) {
    return error as DoorError;
  }
}
